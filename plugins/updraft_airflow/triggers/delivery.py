"""Wait for deliveries in the triggerer."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from updraft.settings import Settings
from updraft.spec import load
from updraft_airflow.hooks.source import connection


class DeliveryTrigger(BaseTrigger):
    """
    Fire once every delivery of the partitions is there.

    :param use_case: Folder under ``include/use_cases``.
    :param source: Name of a source in the use case's spec.
    :param partitions: Partition keys that are waited for.
    :param poke_interval: Seconds between looks.
    """

    def __init__(self, *, use_case: str, source: str, partitions: list[str], poke_interval: float) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.use_case = use_case
        self.source = source
        self.partitions = partitions
        self.poke_interval = poke_interval

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Class path and constructor arguments."""
        names = ("use_case", "source", "partitions", "poke_interval")
        path = f"{type(self).__module__}.{type(self).__qualname__}"
        return path, {name: getattr(self, name) for name in names}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Look, sleep, look again; the sensor's timeout ends it."""
        while await asyncio.to_thread(self._missing):
            await asyncio.sleep(self.poke_interval)
        yield TriggerEvent({"source": self.source, "partitions": self.partitions})  # type: ignore[no-untyped-call]

    def _missing(self) -> list[str]:
        from updraft import sources

        case, inbox = load.load(self.use_case), Settings.from_env().inbox
        source = case.sources[self.source]
        return sources.missing(source, self.partitions, inbox, case=case, connections=connection)

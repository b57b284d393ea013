"""Wait in the triggerer for a state of the lake."""

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.triggers.base import BaseTrigger, TriggerEvent

from updraft.errors import Transient
from updraft.lake import Lake
from updraft_airflow.hooks.lake import LakeHook

if TYPE_CHECKING:
    from updraft.life.awaited import Looked


class StateTrigger(BaseTrigger):
    """
    Fire once what a subclass looks for is so.

    :param use_case: Folder under ``include/use_cases``.
    :param lake_conn_id: Airflow connection of the lake.
    :param poke_interval: Seconds between looks.
    """

    arguments: ClassVar[tuple[str, ...]] = ("use_case", "lake_conn_id", "poke_interval")

    def __init__(self, *, use_case: str, lake_conn_id: str, poke_interval: float) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.use_case = use_case
        self.lake_conn_id = lake_conn_id
        self.poke_interval = poke_interval

    @property
    def lake(self) -> Lake:
        """The lake."""
        return LakeHook(self.lake_conn_id).get_conn()

    def look(self) -> "Looked":
        """Look once."""
        raise NotImplementedError

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Class path and constructor arguments."""
        path = f"{type(self).__module__}.{type(self).__qualname__}"
        return path, {name: getattr(self, name) for name in self.arguments}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Look, sleep, look again; the sensor's timeout ends it."""
        while True:
            try:
                seen = await asyncio.to_thread(self.look)
            except Transient as passing:
                self.log.warning("%s: %s", self.use_case, passing)
            else:
                if seen.met:
                    yield TriggerEvent({"why": seen.why})  # type: ignore[no-untyped-call]
                    return
            await asyncio.sleep(self.poke_interval)

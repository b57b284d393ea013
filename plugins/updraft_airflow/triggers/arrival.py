"""Hear in the triggerer that a delivery has arrived: from a queue of notifications, or by looking into the inbox."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict
from typing import Any

from airflow.triggers.base import BaseEventTrigger, TriggerEvent

from updraft.arrivals.arrival import MOST, Arrival, Heard, shown
from updraft.errors import Permanent, Transient
from updraft_airflow import conventions
from updraft_airflow.hooks.arrival import ArrivalHook, Listener


class ArrivalTrigger(BaseEventTrigger):
    """
    Fire whenever a delivery of a source is said to have arrived; for a sensor, and for the watcher of an asset.

    The event names use case, source and partition, as the spec knows them. A message is taken out of its queue only
    after its event was handed over: one that is lost on the way comes again.

    :param use_case: Folder under ``include/use_cases``.
    :param source: Name of a source that has ``s3.notifications``, or of type ``files``.
    :param poke_interval: Seconds between looks.
    :param lake_conn_id: Airflow connection of the lake.
    """

    def __init__(
        self, *, use_case: str, source: str, poke_interval: float = 30.0, lake_conn_id: str = conventions.LAKE
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.use_case = use_case
        self.source = source
        self.poke_interval = poke_interval
        self.lake_conn_id = lake_conn_id

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Class path and constructor arguments."""
        names = ("use_case", "source", "poke_interval", "lake_conn_id")
        path = f"{type(self).__module__}.{type(self).__qualname__}"
        return path, {name: getattr(self, name) for name in names}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Listen, hand over, listen again."""
        try:
            listener = await asyncio.to_thread(ArrivalHook(self.lake_conn_id).listener, self.use_case, self.source)
            while True:
                heard = await self._hear(listener)
                for first in range(0, len(heard.arrivals), MOST):
                    yield TriggerEvent(payload(heard.arrivals[first : first + MOST]))  # type: ignore[no-untyped-call]
                await asyncio.to_thread(listener.done)
                await asyncio.sleep(self.poke_interval)
        except Permanent as final:
            # Airflow starts a watcher's trigger again at once: without a pause a closed queue would fill the log.
            self.log.error("%s of %s: %s", self.source, self.use_case, final)
            await asyncio.sleep(self.poke_interval)
            raise

    async def _hear(self, listener: Listener) -> Heard:
        try:
            heard = await asyncio.to_thread(listener.hear)
        except Transient as passing:
            self.log.warning("%s of %s: %s", self.source, self.use_case, passing)
            return Heard()
        if heard.dropped:
            self.log.warning("%s of %s: dropped %s", self.source, self.use_case, shown(heard.dropped))
        return heard


def payload(arrivals: Sequence[Arrival]) -> dict[str, Any]:
    """What an event says."""
    return {"arrivals": [asdict(arrival) for arrival in arrivals]}

"""Wait until somebody says that a delivery of a source has arrived."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from airflow.sdk import Context, PokeReturnValue

from updraft.arrivals.arrival import shown
from updraft.spec.durations import spoken
from updraft_airflow.hooks.arrival import ArrivalHook
from updraft_airflow.outcomes import airflow_outcomes
from updraft_airflow.sensors.waiting import WaitingSensor
from updraft_airflow.triggers.arrival import ArrivalTrigger, payload


class ArrivalSensor(WaitingSensor):
    """
    Wait for the next message about a source, or the next file of it; whoever hears first has heard it.

    For the deliveries of a given partition, use ``DeliverySensor``: it looks for itself.

    :param use_case: Folder under ``include/use_cases``.
    :param source: Name of a source that has ``s3.notifications``, or of type ``files``.
    :return: ``{"arrivals": [{"use_case", "source", "partition"}]}``.
    """

    template_fields: Sequence[str] = ("use_case", "source")

    def __init__(self, *, source: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.source = source

    def hand_over(self, context: Context) -> None:
        """Defer to the triggerer, which begins with a look."""
        which = {"use_case": self.use_case, "source": self.source, "lake_conn_id": self.lake_conn_id}
        trigger = ArrivalTrigger(poke_interval=self.poke_interval, **which)
        self.defer(trigger=trigger, method_name="heard", timeout=timedelta(seconds=self.timeout))

    def poke(self, context: Context) -> PokeReturnValue:
        """What was heard, if anything was."""
        with airflow_outcomes():
            listener = ArrivalHook(self.lake_conn_id).listener(self.use_case, self.source)
            heard = listener.hear()
            listener.done()
        if heard.dropped:
            self.log.warning("%s of %s: dropped %s", self.source, self.use_case, shown(heard.dropped))
        return PokeReturnValue(bool(heard.arrivals), payload(heard.arrivals))

    def heard(self, context: Context, event: dict[str, Any]) -> dict[str, Any]:
        """What the triggerer heard."""
        return event

    def ended(self, waited: timedelta) -> str:
        """Say whom nothing was heard of."""
        return (
            f"Nothing was heard of {self.source} of {self.use_case} within {spoken(waited)}. "
            "Next: ask the sender, and look whether the bucket sends its notifications to the queue."
        )

"""Wait for a state of the lake."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from airflow.sdk import Context, PokeReturnValue

from updraft_airflow import partitions
from updraft_airflow.outcomes import airflow_outcomes
from updraft_airflow.sensors.waiting import WaitingSensor
from updraft_airflow.triggers.state import StateTrigger


class StateSensor(WaitingSensor):
    """
    Wait until what a subclass looks for is so; a lost event makes it no later.

    :param use_case: Folder under ``include/use_cases``.
    :param partition: Partition key (templated).
    :return: ``{"why"}``: what was seen.
    """

    template_fields: Sequence[str] = ("use_case", "partition")

    def __init__(self, *, partition: str = partitions.PARTITION, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.partition = partition

    def trigger(self) -> StateTrigger:
        """What looks; in the triggerer, or here."""
        raise NotImplementedError

    @property
    def which(self) -> dict[str, Any]:
        """What every trigger is made with."""
        names = ("use_case", "lake_conn_id", "poke_interval")
        return {name: getattr(self, name) for name in names}

    def hand_over(self, context: Context) -> Any:
        """Defer, unless it is so already."""
        if (looked := self.poke(context)).is_done:
            return looked.xcom_value
        return self.defer(trigger=self.trigger(), method_name="seen", timeout=timedelta(seconds=self.timeout))

    def poke(self, context: Context) -> PokeReturnValue:
        """Whether it is so."""
        with airflow_outcomes():
            looked = self.trigger().look()
        self.log.info("%s", looked.why)
        return PokeReturnValue(looked.met, {"why": looked.why})

    def seen(self, context: Context, event: dict[str, Any]) -> dict[str, Any]:
        """What the triggerer saw."""
        return event

    def ended(self, waited: timedelta) -> str:
        """Say what was seen last."""
        with airflow_outcomes():
            looked = self.trigger().look()
        return (
            f"Waited for {waited}: {looked.why}. "
            f"Next: see `updraft status {self.use_case}`; once it is so, clear this task."
        )

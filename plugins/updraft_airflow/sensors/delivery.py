"""Wait until a source has handed over the deliveries of a run's partitions."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowSensorTimeout

from updraft.settings import Settings
from updraft.spec import load
from updraft.spec.durations import spoken
from updraft_airflow import partitions
from updraft_airflow.hooks.lake import LakeHook
from updraft_airflow.hooks.source import connection
from updraft_airflow.outcomes import airflow_outcomes
from updraft_airflow.sensors.waiting import WaitingSensor
from updraft_airflow.triggers.delivery import DeliveryTrigger


class DeliverySensor(WaitingSensor):
    """
    Wait for the deliveries of a source; what has landed before is not waited for.

    :param use_case: Folder under ``include/use_cases``.
    :param source: Name of a source in the use case's spec.
    :param partition: Partition key (templated).
    :param through: Last partition of a span, empty for a single one (templated).
    """

    template_fields: Sequence[str] = ("use_case", "source", "partition", "through")

    def __init__(
        self,
        *,
        source: str,
        partition: str = partitions.PARTITION,
        through: str = partitions.THROUGH,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.source = source
        self.partition = partition
        self.through = through

    def hand_over(self, context: Context) -> None:
        """Defer, unless every delivery is there."""
        if missing := self._missing():
            trigger = DeliveryTrigger(
                use_case=self.use_case, source=self.source, partitions=missing, poke_interval=self.poke_interval
            )
            self.defer(trigger=trigger, method_name="arrived", timeout=timedelta(seconds=self.timeout))

    def poke(self, context: Context) -> bool:
        """Whether every delivery is there."""
        missing = self._missing()
        if missing:
            self.log.warning("%s of %s waits for %s", self.source, self.use_case, ", ".join(missing[:10]))
        return not missing

    def arrived(self, context: Context, event: dict[str, Any]) -> None:
        """Take the triggerer's word, and look once more."""
        if self._missing():
            raise AirflowSensorTimeout("The triggerer saw it come, and it is not there any more.")

    def ended(self, waited: timedelta) -> str:
        """Say which deliveries did not come, and where they were looked for."""
        missing, source = self._missing(), load.load(self.use_case).sources[self.source]
        where = source.looked_in or f"{source.path} in {Settings.from_env().inbox}"
        where = where.replace("{partition}", (missing or ["…"])[0])
        return (
            f"{self.source} of {self.use_case} did not come for {', '.join(missing[:10])} within {spoken(waited)}; "
            f"looked for {where}. Next: ask the sender; once it is there, clear this task, or leave it to the sweep."
        )

    def _missing(self) -> list[str]:
        from updraft import ingest

        with airflow_outcomes():
            case = load.load(self.use_case)
            keys = partitions.span(case, self.partition, self.through)
            lake, inbox = LakeHook(self.lake_conn_id).get_conn(), Settings.from_env().inbox
            return ingest.awaited(case, self.source, keys, lake, inbox, connections=connection)

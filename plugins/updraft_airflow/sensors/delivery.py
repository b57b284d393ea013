"""Wait until a source has handed over the deliveries of a run's partitions."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from airflow.sdk import BaseSensorOperator, Context
from airflow.sdk.exceptions import AirflowSensorTimeout

from updraft.settings import Settings
from updraft.spec import load
from updraft_airflow import conventions, partitions
from updraft_airflow.hooks.lake import LakeHook
from updraft_airflow.hooks.source import connection
from updraft_airflow.outcomes import airflow_outcomes
from updraft_airflow.triggers.delivery import DeliveryTrigger

HALF_A_DAY = 12 * 3600.0


class DeliverySensor(BaseSensorOperator):
    """
    Wait for the deliveries of a source; what has landed before is not waited for.

    :param use_case: Folder under ``include/use_cases``.
    :param source: Name of a source in the use case's spec.
    :param partition: Partition key (templated).
    :param through: Last partition of a span, empty for a single one (templated).
    :param lake_conn_id: Airflow connection of the lake.
    :param deferrable: Wait in the triggerer in place of coming back; for clusters with many sensors.
    """

    template_fields: Sequence[str] = ("use_case", "source", "partition", "through")

    def __init__(
        self,
        *,
        use_case: str,
        source: str,
        partition: str = partitions.PARTITION,
        through: str = partitions.THROUGH,
        lake_conn_id: str = conventions.LAKE,
        deferrable: bool = False,
        timeout: float = HALF_A_DAY,
        poke_interval: float = 60.0,
        mode: str = "reschedule",
        **kwargs: Any,
    ) -> None:
        super().__init__(timeout=timeout, poke_interval=poke_interval, mode=mode, **kwargs)
        self.use_case = use_case
        self.source = source
        self.partition = partition
        self.through = through
        self.lake_conn_id = lake_conn_id
        self.deferrable = deferrable

    def execute(self, context: Context) -> None:
        """Look once; then come back later, or hand over to the triggerer."""
        if not self.deferrable:
            with self._naming():
                super().execute(context)
        elif missing := self._missing():
            trigger = DeliveryTrigger(
                use_case=self.use_case, source=self.source, partitions=missing, poke_interval=self.poke_interval
            )
            self.defer(trigger=trigger, method_name="arrived", timeout=timedelta(seconds=self.timeout))

    def resume_execution(self, next_method: str, next_kwargs: dict[str, Any] | None, context: Context) -> Any:
        """Go on after the triggerer; its own end says as much as ours."""
        with self._naming():
            return super().resume_execution(next_method, next_kwargs, context)

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

    @contextmanager
    def _naming(self) -> Iterator[None]:
        """Say what was waited for when the time is up."""
        try:
            yield
        except AirflowSensorTimeout as ended:
            missing, source = self._missing(), load.load(self.use_case).sources[self.source]
            path = (source.path or "").replace("{partition}", (missing or ["…"])[0])
            where = f"{path} in {Settings.from_env().inbox}" if source.type == "files" else f"its {source.type} source"
            raise AirflowSensorTimeout(
                f"{self.source} of {self.use_case} did not come for {', '.join(missing[:10])} within "
                f"{timedelta(seconds=self.timeout)}; looked for {where}. "
                "Next: ask the sender; once it is there, clear this task, or leave it to the sweep."
            ) from ended

    def _missing(self) -> list[str]:
        from updraft import ingest

        with airflow_outcomes():
            case = load.load(self.use_case)
            keys = partitions.span(case, self.partition, self.through)
            lake, inbox = LakeHook(self.lake_conn_id).get_conn(), Settings.from_env().inbox
            return ingest.awaited(case, self.source, keys, lake, inbox, connections=connection)

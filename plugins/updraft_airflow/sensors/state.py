"""Wait for a state of the lake."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from airflow.sdk import BaseSensorOperator, Context, PokeReturnValue
from airflow.sdk.exceptions import AirflowSensorTimeout

from updraft_airflow import conventions, partitions
from updraft_airflow.outcomes import airflow_outcomes
from updraft_airflow.triggers.state import StateTrigger

HALF_A_DAY = 12 * 3600.0


class StateSensor(BaseSensorOperator):
    """
    Wait until what a subclass looks for is so; a lost event makes it no later.

    :param use_case: Folder under ``include/use_cases``.
    :param partition: Partition key (templated).
    :param lake_conn_id: Airflow connection of the lake.
    :param deferrable: Wait in the triggerer in place of coming back; for clusters with many sensors.
    :return: ``{"why"}``: what was seen.
    """

    template_fields: Sequence[str] = ("use_case", "partition")

    def __init__(
        self,
        *,
        use_case: str,
        partition: str = partitions.PARTITION,
        lake_conn_id: str = conventions.LAKE,
        deferrable: bool = False,
        timeout: float = HALF_A_DAY,
        poke_interval: float = 60.0,
        mode: str = "reschedule",
        **kwargs: Any,
    ) -> None:
        super().__init__(timeout=timeout, poke_interval=poke_interval, mode=mode, **kwargs)
        self.use_case = use_case
        self.partition = partition
        self.lake_conn_id = lake_conn_id
        self.deferrable = deferrable

    def trigger(self) -> StateTrigger:
        """What looks; in the triggerer, or here."""
        raise NotImplementedError

    @property
    def which(self) -> dict[str, Any]:
        """What every trigger is made with."""
        names = ("use_case", "lake_conn_id", "poke_interval")
        return {name: getattr(self, name) for name in names}

    def execute(self, context: Context) -> Any:
        """Look once; then come back later, or hand over to the triggerer."""
        if not self.deferrable:
            with self._naming():
                return super().execute(context)
        if (looked := self.poke(context)).is_done:
            return looked.xcom_value
        return self.defer(trigger=self.trigger(), method_name="seen", timeout=timedelta(seconds=self.timeout))

    def resume_execution(self, next_method: str, next_kwargs: dict[str, Any] | None, context: Context) -> Any:
        """Go on after the triggerer; its own end says as much as ours."""
        with self._naming():
            return super().resume_execution(next_method, next_kwargs, context)

    def poke(self, context: Context) -> PokeReturnValue:
        """Whether it is so."""
        with airflow_outcomes():
            looked = self.trigger().look()
        self.log.info("%s", looked.why)
        return PokeReturnValue(looked.met, {"why": looked.why})

    def seen(self, context: Context, event: dict[str, Any]) -> dict[str, Any]:
        """What the triggerer saw."""
        return event

    @contextmanager
    def _naming(self) -> Iterator[None]:
        """Say what was waited for when the time is up."""
        try:
            yield
        except AirflowSensorTimeout as ended:
            with airflow_outcomes():
                looked = self.trigger().look()
            raise AirflowSensorTimeout(
                f"Waited for {timedelta(seconds=self.timeout)}: {looked.why}. "
                f"Next: see `updraft status {self.use_case}`; once it is so, clear this task."
            ) from ended

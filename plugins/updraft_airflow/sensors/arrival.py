"""Wait until somebody says that a delivery of a source has arrived."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from airflow.sdk import BaseSensorOperator, Context, PokeReturnValue
from airflow.sdk.exceptions import AirflowSensorTimeout

from updraft.arrivals.arrival import shown
from updraft_airflow import conventions
from updraft_airflow.hooks.arrival import ArrivalHook
from updraft_airflow.outcomes import airflow_outcomes
from updraft_airflow.triggers.arrival import ArrivalTrigger, payload

HALF_A_DAY = 12 * 3600.0


class ArrivalSensor(BaseSensorOperator):
    """
    Wait for the next message about a source, or the next file of it; whoever hears first has heard it.

    For the deliveries of a given partition, use ``DeliverySensor``: it looks for itself.

    :param use_case: Folder under ``include/use_cases``.
    :param source: Name of a source that has ``s3.notifications``, or of type ``files``.
    :param lake_conn_id: Airflow connection of the lake.
    :param deferrable: Wait in the triggerer in place of coming back.
    :return: ``{"arrivals": [{"use_case", "source", "partition"}]}``.
    """

    template_fields: Sequence[str] = ("use_case", "source")

    def __init__(
        self,
        *,
        use_case: str,
        source: str,
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
        self.lake_conn_id = lake_conn_id
        self.deferrable = deferrable

    def execute(self, context: Context) -> Any:
        """Look once and come back later, or hand over to the triggerer, which begins with a look."""
        if not self.deferrable:
            with self._naming():
                return super().execute(context)
        which = {"use_case": self.use_case, "source": self.source, "lake_conn_id": self.lake_conn_id}
        trigger = ArrivalTrigger(poke_interval=self.poke_interval, **which)
        return self.defer(trigger=trigger, method_name="heard", timeout=timedelta(seconds=self.timeout))

    def resume_execution(self, next_method: str, next_kwargs: dict[str, Any] | None, context: Context) -> Any:
        """Go on after the triggerer; its own end says as much as ours."""
        with self._naming():
            return super().resume_execution(next_method, next_kwargs, context)

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

    @contextmanager
    def _naming(self) -> Iterator[None]:
        """Say what was waited for when the time is up."""
        try:
            yield
        except AirflowSensorTimeout as ended:
            raise AirflowSensorTimeout(
                f"Nothing was heard of {self.source} of {self.use_case} within {timedelta(seconds=self.timeout)}. "
                "Next: ask the sender, and look whether the bucket sends its notifications to the queue."
            ) from ended

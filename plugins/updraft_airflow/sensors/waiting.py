"""What every sensor does: look and come back, or hand over to the triggerer, and say at the end what did not come."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from airflow.sdk import BaseSensorOperator, Context
from airflow.sdk.exceptions import AirflowSensorTimeout

from updraft_airflow import conventions

HALF_A_DAY = 12 * 3600.0


class WaitingSensor(BaseSensorOperator):
    """
    Wait for something of a use case.

    :param use_case: Folder under ``include/use_cases``.
    :param lake_conn_id: Airflow connection of the lake.
    :param deferrable: Wait in the triggerer in place of coming back; for clusters with many sensors.
    """

    template_fields: Sequence[str] = ("use_case",)

    def __init__(
        self,
        *,
        use_case: str,
        lake_conn_id: str = conventions.LAKE,
        deferrable: bool = False,
        timeout: float = HALF_A_DAY,
        poke_interval: float = 60.0,
        mode: str = "reschedule",
        **kwargs: Any,
    ) -> None:
        super().__init__(timeout=timeout, poke_interval=poke_interval, mode=mode, **kwargs)
        self.use_case = use_case
        self.lake_conn_id = lake_conn_id
        self.deferrable = deferrable

    def execute(self, context: Context) -> Any:
        """Look once and come back later, or hand over to the triggerer."""
        if self.deferrable:
            return self.hand_over(context)
        with self._naming():
            return super().execute(context)

    def resume_execution(self, next_method: str, next_kwargs: dict[str, Any] | None, context: Context) -> Any:
        """Go on after the triggerer; its own end says as much as ours."""
        with self._naming():
            return super().resume_execution(next_method, next_kwargs, context)

    def hand_over(self, context: Context) -> Any:
        """Defer, unless it is there already."""
        raise NotImplementedError

    def ended(self, waited: timedelta) -> str:
        """Say what was waited for when the time is up, and what to do next."""
        raise NotImplementedError

    @contextmanager
    def _naming(self) -> Iterator[None]:
        try:
            yield
        except AirflowSensorTimeout as ended:
            raise AirflowSensorTimeout(self.ended(timedelta(seconds=self.timeout))) from ended

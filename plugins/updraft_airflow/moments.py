"""From where the deadlines of a run are counted: the moment its partition is computed for."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from airflow.sdk.definitions.deadline import BaseDeadlineReference

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from updraft.spec.model import UseCase


@dataclass(eq=False)
class AsOf(BaseDeadlineReference):
    """The partition's `as_of`, read by the scheduler from the run's partition and from no spec.

    It has none where the run names no partition, or one whose deadline was over before: that was asked for by hand.

    :param lead_time: Seconds.
    :param within: The deadline, in seconds.
    """

    every: str = "day"
    timezone: str = "UTC"
    first: str = "1970-01-01"
    lead_time: float = 0.0
    within: float = 0.0

    required_kwargs = frozenset({"dag_id", "run_id"})

    @classmethod
    def of(cls, case: "UseCase", within: timedelta) -> "AsOf":
        """The one of a use case's calendar."""
        dates, lead_time = case.partitions, case.problem.lead_time
        return cls(dates.every, dates.timezone, dates.first, lead_time.total_seconds(), within.total_seconds())

    def serialize_reference(self) -> dict[str, Any]:
        """As it lies in Airflow's database."""
        return {**super().serialize_reference(), **asdict(self)}

    @classmethod
    def deserialize_reference(cls, reference_data: dict[str, Any]) -> "AsOf":
        """Back from there."""
        return cls(**{name: reference_data[name] for name in cls.__dataclass_fields__})

    def _evaluate_with(self, *, session: "Session", dag_id: str, run_id: str) -> datetime | None:
        from airflow.models import DagRun
        from sqlalchemy import select

        asked = select(DagRun.partition_key, DagRun.conf).where(DagRun.dag_id == dag_id, DagRun.run_id == run_id)
        key, conf = session.execute(asked).one()
        moment = self.moment(key or (conf or {}).get("partition") or "")
        over = moment is None or moment + timedelta(seconds=self.within) <= datetime.now(UTC)
        return None if over else moment

    def moment(self, key: str) -> datetime | None:
        """The moment of a partition."""
        from updraft.errors import PartitionInvalid
        from updraft.partition import Calendar

        try:
            lead_time = timedelta(seconds=self.lead_time)
            return Calendar(self.every, ZoneInfo(self.timezone), lead_time, self.first).at(key).as_of
        except PartitionInvalid:
            return None

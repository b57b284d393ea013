"""Which partitions a run is for: the key Airflow carries, or the ones a person typed into the form."""

from airflow.sdk import CronPartitionTimetable, Param, PartitionedAtRuntime

from updraft.errors import PartitionInvalid
from updraft.partition import KEY_FORMATS, KEY_PATTERNS, calendar
from updraft.spec.model import UseCase

PARTITION = "{{ dag_run.partition_key or params.partition or '' }}"
THROUGH = "{{ params.get('through') or '' }}"


def ticks(case: UseCase, cron: str, *, ahead: int = 0) -> CronPartitionTimetable | PartitionedAtRuntime:
    """Schedule whose every tick names the partition that holds the tick `ahead` of it.

    A history that has an end is not driven by the clock: its partitions are run by hand. A DAG's `end_date` would not
    do, since Airflow ends runs that are triggered after it without starting a single task.
    """
    if case.partitions.last:
        return PartitionedAtRuntime()
    every = case.partitions.every
    # Hours are keyed in UTC: written in another zone, a key would name another hour.
    zone = "UTC" if every == "hour" else case.partitions.timezone
    return CronPartitionTimetable(cron, timezone=zone, run_offset=ahead, key_format=KEY_FORMATS[every])


def params(case: UseCase) -> dict[str, Param]:
    """Form fields that name a partition, or a span of them."""
    return {
        **moment(case),
        "through": Param(
            None,
            type=["null", "string"],
            title="Through",
            maxLength=20,
            pattern=_written(case),
            description="Last partition of a span to work on in bulk; empty for one. A span announces nothing.",
        ),
    }


def moment(case: UseCase) -> dict[str, Param]:
    """Form field that names the one partition a decision stands at."""
    first = case.partitions.first
    return {
        "partition": Param(
            None,
            type=["null", "string"],
            title="Partition",
            maxLength=20,
            pattern=_written(case),
            description=f"Key of a partition, such as {first}. Runs that are not started by hand bring their own.",
        ),
    }


def _written(case: UseCase) -> str:
    """How a key is written, so that the API refuses anything else before there is a run; an empty field is none."""
    return f"^({KEY_PATTERNS[case.partitions.every]})?$"


def span(case: UseCase, partition: str, through: str = "") -> list[str]:
    """Partition keys of a run.

    :raises PartitionInvalid: If none was given, or one is not of the use case's calendar.
    """
    if not partition:
        raise PartitionInvalid(
            f"This run of {case.name} has no partition.",
            next_step="trigger it again and fill in the form's field `Partition`.",
        )
    dates = calendar(case)
    return dates.keys(partition, through or partition)

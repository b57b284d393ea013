"""What was measured of partitions, read back from the lake."""

from collections.abc import Sequence
from itertools import groupby

from updraft.lake import Lake
from updraft.monitor import table, watch
from updraft.partition import Partition
from updraft.spec.model import UseCase


def monitor_table(case: UseCase) -> str:
    """Name of the long table of measurements."""
    return f"monitor/{case.name}"


def measurements(case: UseCase, keys: Sequence[str], lake: Lake, *, least: int = 0) -> list[table.Measurement]:
    """Measurements of the newest of some partitions, `least` or enough of them to see when a long incident opened."""
    rows = lake.read(monitor_table(case), keys[-max(least, 4 * case.monitor.of) :]) if keys else None
    return [] if rows is None else sorted(table.from_arrow(rows), key=lambda m: m.partition)


def history(case: UseCase, now: Partition, lake: Lake) -> list[watch.Alarm | None]:
    """Alarm per measured partition up to `now`, oldest first."""
    seen = measurements(case, [key for key in lake.partitions(monitor_table(case)) if key <= now.key], lake)
    return [watch.alarm([*own]) for _, own in groupby(seen, key=lambda m: m.partition)]

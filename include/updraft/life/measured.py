"""What was measured of partitions, read back from the lake."""

from collections.abc import Sequence
from itertools import groupby

import pyarrow.compute as pc

from updraft.lake import Lake
from updraft.monitor import table, watch
from updraft.partition import Partition
from updraft.spec.model import UseCase


def monitor_table(case: UseCase) -> str:
    """Name of the long table of measurements."""
    return f"monitor/{case.name}"


def measurements(
    case: UseCase, keys: Sequence[str], lake: Lake, *, least: int = 0, where: "pc.Expression | None" = None
) -> list[table.Measurement]:
    """Measurements of the newest of some partitions, `least` or enough of them to see when a long incident opened.

    :param where: What they fulfil; all, when left out.
    """
    rows = lake.read(monitor_table(case), keys[-max(least, 4 * case.monitor.of) :]) if keys else None
    if rows is None:
        return []
    return sorted(table.from_arrow(rows if where is None else rows.filter(where)), key=lambda m: m.partition)


def history(case: UseCase, now: Partition, lake: Lake) -> list[watch.Alarm | None]:
    """Alarm per measured partition up to `now`, oldest first."""
    keys = [key for key in lake.partitions(monitor_table(case)) if key <= now.key]
    seen = measurements(case, keys, lake, where=watch.TELLING)
    return [watch.alarm([*own]) for _, own in groupby(seen, key=lambda m: m.partition)]

"""Which partitions of the reference a window may fairly be compared with."""

from collections.abc import Sequence
from datetime import date

import numpy as np
from numpy.typing import NDArray

from updraft.partition import calendar
from updraft.spec.model import UseCase

# Days on either side of the same day of the year that count as its season: a quarter in all.
NEAR = 45
_NAMES = {"week": "of the same weekdays", "year": "of the same season"}


def alike(case: UseCase, reference: Sequence[str], window: Sequence[str]) -> NDArray[np.bool_]:
    """Mark the partitions of the reference that are alike in season to those of the window (partitions,).

    :param reference: Keys of the reference's partitions.
    :param window: Keys of the window's partitions.
    """
    if case.monitor.season == "none" or not window:
        return np.ones(len(reference), dtype=bool)
    now, before = _days(case, window), _days(case, reference)
    if case.monitor.season == "week":
        weekdays = {day.weekday() for day in now}
        return np.array([day.weekday() in weekdays for day in before], dtype=bool)
    middle = now[len(now) // 2]
    return np.array([_around(day, middle) <= NEAR for day in before], dtype=bool)


def named(case: UseCase, partitions: int) -> str:
    """Say what was compared with; empty when it is the whole reference."""
    if case.monitor.season == "none":
        return ""
    return f", against {partitions} partitions {_NAMES[case.monitor.season]}"


def _days(case: UseCase, keys: Sequence[str]) -> list[date]:
    dates = calendar(case)
    return [dates.at(key).start.astimezone(dates.zone).date() for key in keys]


def _around(day: date, middle: date) -> int:
    apart = abs(day.timetuple().tm_yday - middle.timetuple().tm_yday)
    return min(apart, 365 - apart)

"""When to train again: by what the monitor saw, or by a timetable that looks at nothing."""

from collections.abc import Callable, Mapping
from datetime import datetime

from updraft.partition import Calendar
from updraft.records import State

Period = Callable[[datetime], tuple[int, ...]]

DRIFT = "drift"
# What a policy is; those with a period train at the first partition of each, and gates decide what becomes of it.
POLICIES: Mapping[str, str] = {
    "never": "keeps its first champion",
    "monthly": "trains at the first partition of every month",
    DRIFT: "asks the controller at every partition, as the spec sets it",
    "always": "trains at the first partition of every week; a training a day differs by one day of its window",
}


def _month(moment: datetime) -> tuple[int, ...]:
    return moment.year, moment.month


def _week(moment: datetime) -> tuple[int, ...]:
    return tuple(moment.isocalendar()[:2])


PERIODS: Mapping[str, Period] = {"monthly": _month, "always": _week}


def due(policy: str, key: str, state: State, dates: Calendar) -> bool:
    """Say whether a timetable asks for a training at a partition: the first one, and the first of each period.

    A training that this very partition began and did not end is due again.
    """
    period = PERIODS.get(policy)
    tried = [r.partition for r in state.records if r.kind in ("trained", "refused") and r.partition]
    if period is None or not tried:
        return period is not None
    now, last = (dates.at(each).start.astimezone(dates.zone) for each in (key, tried[-1]))
    return tried[-1] == key or period(now) != period(last)

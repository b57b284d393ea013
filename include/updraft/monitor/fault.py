"""How long a fault of the feed counts: for as long as its rows can still make the champion look worse."""

from collections.abc import Sequence

from updraft.monitor.table import Measurement
from updraft.monitor.watch import feed_fault
from updraft.spec.model import UseCase


def standing(looks: Sequence[Sequence[Measurement]], case: UseCase, *, lag: int) -> str | None:
    """Say what is wrong with the feed, now or not long ago; `None` when nothing is.

    Labels come `lag` partitions after the rows, so the look at what came true still holds broken rows when that at the
    features holds none any more, and its alarms are counted over `monitor.of` partitions: a training that they asked
    for would be an answer to the fault.

    :param looks: Measurements of each partition, oldest first.
    :param lag: Partitions between the newest one and the newest whose labels are mature.
    """
    recent = looks[-(lag + case.monitor.of) :]
    return next((why for look in reversed(recent) if (why := feed_fault(look))), None)

"""Which span of time a partition's delivery is asked for, and when that span is past."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from updraft.errors import DeliveryMissing
from updraft.partition import calendar
from updraft.sources import Found, Site
from updraft.spec.kinds import Windowed


@dataclass(frozen=True)
class Window:
    """A span of time (UTC), its start included, its end not.

    :param ready: When everything of it is there.
    """

    partition: str
    start: datetime
    end: datetime
    ready: datetime


def window(asked: Windowed, key: str, site: Site) -> Window:
    """Window of a partition."""
    dates = calendar(site.case)
    partition = dates.at(key)
    own = asked.window == "interval"
    start, end = (partition.start, partition.end) if own else (dates.opens_at(partition), partition.as_of)
    return Window(partition.key, start, end, end + asked.delay)


def past(asked: Windowed, partitions: Sequence[str], site: Site, place: str) -> list[Found]:
    """A delivery for each partition whose window is past; in a history that has an end, for each.

    :param place: Begins the name of where they come from.
    """
    return [Found(key, f"{place}/{key}") for key in partitions if _is_past(window(asked, key, site), site)]


def asked_for(asked: Windowed, found: Found, site: Site) -> Window:
    """Window of a delivery.

    :raises DeliveryMissing: If it is not past.
    """
    span = window(asked, found.partition, site)
    if not _is_past(span, site):
        raise DeliveryMissing(
            f"{found.origin} is complete at {span.ready.isoformat()}, not before.", next_step="wait until then."
        )
    return span


def _is_past(span: Window, site: Site) -> bool:
    return site.case.partitions.last is not None or span.ready <= datetime.now(UTC)

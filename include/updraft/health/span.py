"""Which partitions a report is about."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from updraft.errors import PartitionInvalid

SHOWN_BEFORE = 27  # partitions before the one a report is about
MONTH = re.compile(r"[0-9]{4}-[0-9]{2}")


@dataclass(frozen=True)
class Span:
    """Partitions that were monitored, oldest first; the report stands at the newest.

    :param title: What it is called: a partition or a month.
    """

    title: str
    keys: tuple[str, ...]


def span(asked: str, monitored: Sequence[str]) -> Span:
    """Find a partition with those before it, the newest when none is named, or the partitions of a month.

    >>> span("2024-01-02", ["2024-01-01", "2024-01-02", "2024-01-03"])
    Span(title='2024-01-02', keys=('2024-01-01', '2024-01-02'))
    >>> span("2024-02", ["2024-01-31", "2024-02-01", "2024-02-02"]).keys
    ('2024-02-01', '2024-02-02')

    :param monitored: Partitions that were measured, in order.
    :raises PartitionInvalid: If nothing of it was monitored.
    """
    asked = asked or (monitored[-1] if monitored else "newest")
    if MONTH.fullmatch(asked):
        keys = tuple(key for key in monitored if key.startswith(f"{asked}-"))
    else:
        keys = tuple(key for key in monitored if key <= asked)[-SHOWN_BEFORE - 1 :] if asked in monitored else ()
    if not keys:
        known = f"{monitored[0]} to {monitored[-1]}" if monitored else "none"
        raise PartitionInvalid(
            f"Nothing of {asked[:20]!r} was monitored.",
            next_step=f"name a partition or a month, such as 2024-01; monitored are: {known}.",
        )
    return Span(asked, keys)

"""Partitions with more rows than memory is to hold: compared with what is published, and written, some at a time."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from updraft.asof import raw_schema, raw_table
from updraft.ingest.discard import Numbers
from updraft.ingest.feed import Delivery, Feed
from updraft.ingest.stamp import Stamped
from updraft.rows import Rows, aligned

_CELLS = 4_000_000  # values of a partition that are held in memory


def large(deliveries: Sequence[Delivery]) -> set[str]:
    """Partitions that are not held in memory, by what was delivered for them."""
    cells: dict[str, int] = {}
    for delivery in deliveries:
        cells[delivery.partition] = cells.get(delivery.partition, 0) + delivery.rows * (len(delivery.columns) + 6)
    return {key for key, count in cells.items() if count > _CELLS}


def changed(feed: Feed, delivery: Delivery, rows: Stamped | None) -> datetime | None:
    """The earliest moment at which it shows that the rows of a delivery are not those published; `None` if they are.

    :param rows: Rows to be published; `None` when it loses those it has.
    """
    before = _published(feed, delivery, ["row", "known_at"])
    count, earliest = 0, list[datetime]()
    for some in before:
        count, earliest = count + len(some), [*earliest, *_earliest(some)]
    if rows is None:
        return min(earliest, default=None)
    if count == len(rows) and all(_same(feed, delivery, some) for some in rows):
        return None
    return min([*earliest, *(moment for some in rows for moment in _earliest(some))], default=None)


@dataclass(frozen=True)
class Move:
    """Rows of a delivery that become published, and rows that are no longer.

    :param earliest: When the first of them counts as known.
    """

    released: Numbers
    withdrawn: Numbers
    earliest: datetime


def move(feed: Feed, delivery: Delivery, rows: Stamped | None) -> Move | None:
    """What moves when these rows of a delivery are published in place of those that are; `None` if nothing does."""
    since = changed(feed, delivery, rows)
    if since is None:
        return None
    old, new = np.zeros(delivery.rows + 1, np.bool_), np.zeros(delivery.rows + 1, np.bool_)
    for some in _published(feed, delivery, ["row"]):
        old[some["row"].to_numpy()] = True
    for some in rows or ():
        new[some["row"].to_numpy()] = True
    return Move(np.flatnonzero(new & ~old), np.flatnonzero(old & ~new), since)


def pour(feed: Feed, partition: str, deliveries: Sequence[Delivery], good: Mapping[str, Stamped]) -> int:
    """Make `good` the rows of deliveries of a partition, beside those of deliveries that someone else published."""
    own = [delivery.delivery for delivery in deliveries]
    rows = _All([good[delivery.identity] for delivery in deliveries if delivery.identity in good])
    beside = ~pc.field("delivery").isin(own)
    return feed.lake.pour(raw_table(feed.case, feed.name), partition, rows, raw_schema(feed.source), beside)


@dataclass(frozen=True)
class _All:
    """Rows of several deliveries, as often as wanted."""

    parts: Sequence[Stamped]

    def __iter__(self) -> Iterator[Rows]:
        return chain.from_iterable(self.parts)


def _published(feed: Feed, delivery: Delivery, columns: Sequence[str] | None, where: Any = None) -> Iterator[Rows]:
    own = pc.field("delivery") == delivery.delivery
    asked = own if where is None else own & where
    return feed.lake.scan(raw_table(feed.case, feed.name), [delivery.partition], columns, asked)


def _same(feed: Feed, delivery: Delivery, rows: Rows) -> bool:
    """Whether these rows, whose numbers follow each other, are published as they are."""
    if not len(rows):
        return True
    span = pc.min_max(rows["row"]).as_py()
    within = (pc.field("row") >= span["min"]) & (pc.field("row") <= span["max"])
    schema = raw_schema(feed.source)
    found = [aligned(some, schema) for some in _published(feed, delivery, None, within)]
    there = pa.concat_tables([schema.empty_table(), *found]).sort_by("row")
    return there.combine_chunks().equals(rows.combine_chunks())


def _earliest(rows: Rows) -> list[datetime]:
    moment = pc.min(rows["known_at"]).as_py()
    return [] if moment is None else [moment]

"""Stamp rows with when they happened, when they became known, and where they came from."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from updraft.asof import GONE, STAMP, raw_schema
from updraft.ingest.feed import Delivery, Feed
from updraft.rows import Rows
from updraft.sources.decode import Decoded

_TICK = timedelta(microseconds=1)


@dataclass(frozen=True)
class Stamped:
    """Rows of a delivery as the raw table holds them, some at a time and as often as wanted.

    :param rejected: Numbers of rows that are not among them.
    """

    feed: Feed
    delivery: Delivery
    decoded: Decoded
    rejected: Collection[int]

    def __len__(self) -> int:
        """Number of rows."""
        return self.decoded.readable - sum(number not in self.decoded.bad for number in self.rejected)

    def __iter__(self) -> Iterator[Rows]:
        """The rows, in their order."""
        left_out = pa.array(list(self.rejected), pa.int64())
        for rows in self.decoded.pieces:
            good = rows.filter(pc.invert(pc.is_in(rows["row"], left_out))) if len(left_out) else rows
            yield _stamped(self.feed, self.delivery, good)

    @property
    def rows(self) -> Rows:
        """All rows at once."""
        return pa.concat_tables(list(self))


def _stamped(feed: Feed, delivery: Delivery, rows: Rows) -> Rows:
    columns: dict[str, Any] = {
        **{name: rows[name] for name in rows.column_names},
        "event_time": rows[feed.source.event_time],
        "known_at": known_at(feed, delivery, rows),
        "delivery": pa.repeat(delivery.delivery, len(rows)),
        "partition": pa.repeat(delivery.partition, len(rows)),
    }
    if feed.source.deletes:
        said = feed.source.deleted
        columns[GONE] = pc.fill_null(rows[said.column], False) if said else pa.repeat(False, len(rows))
    schema = raw_schema(feed.source)
    return pa.table([columns[field.name] for field in schema], schema=schema)


def known_at(feed: Feed, delivery: Delivery, rows: Rows) -> Any:
    """When rows became known: as declared, but after their partition's delivery window opened.

    A late row would otherwise show up in moments that are past, and change what was computed for them. Of deliveries
    of one origin for one partition, each counts as known a microsecond after the one before, so that the newest wins.
    """
    partition = feed.calendar.at(delivery.partition)
    opened = pa.scalar(feed.calendar.opens_at(partition) + _TICK, STAMP)
    declared = feed.source.known_at
    if declared.column is not None:
        claimed = rows[declared.column]
    else:
        moment = delivery.landed if declared.delay is None else partition.end + declared.delay
        claimed = pa.chunked_array([pa.repeat(pa.scalar(moment, STAMP), len(rows))])
    later = pa.scalar(delivery.revision * _TICK, pa.duration("us"))
    return pc.add(pc.if_else(pc.less(claimed, opened), opened, claimed), later)

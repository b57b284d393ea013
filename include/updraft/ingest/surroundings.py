"""What the lake knows about deliveries that are to be judged: rows of earlier partitions, and rows of other sources.

Only partitions before the one judged are compared to, and other sources are read up to it: what a later delivery
brings changes no verdict. Nothing is read that no rule asks about.
"""

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from updraft.asof import raw_table
from updraft.contract import Facts, Surroundings
from updraft.ingest.account import published_rows
from updraft.ingest.feed import Delivery, Feed
from updraft.rows import ARROW
from updraft.spec.contract import Reference


def surroundings(feed: Feed, deliveries: Sequence[Delivery]) -> Surroundings:
    """Gather what the contract of a feed asks about `deliveries` beyond their rows."""
    contract = feed.source.contract
    keys = sorted({delivery.partition for delivery in deliveries})
    known = {column: _known(feed, reference, keys) for column, reference in contract.references.items()}
    facts = {
        delivery.identity: Facts(
            partition=delivery.partition,
            as_of=feed.calendar.at(delivery.partition).as_of,
            corrects=delivery.revision > 0,
            known={column: values[delivery.partition] for column, values in known.items()},
        )
        for delivery in deliveries
    }
    published = {} if contract.volume is None else _published(feed, keys, contract.volume.recent)
    return Surroundings(feed.case.partitions.timezone, published, facts)


def asks_around(feed: Feed) -> bool:
    """Whether the verdict on a delivery can change with what else is in the lake."""
    return feed.source.contract.volume is not None or bool(feed.source.contract.references)


def _published(feed: Feed, keys: Sequence[str], recent: int) -> dict[str, int]:
    """Rows of the largest delivery of partitions published before the last of `keys`."""
    before = sorted(key for key in feed.published() if key < keys[-1])
    first = sum(key < keys[0] for key in before)
    wanted = before[max(0, first - recent) :]
    largest = dict.fromkeys(wanted, 0)
    for identity, count in published_rows(feed, wanted).items():
        partition = identity.partition("/")[0]
        largest[partition] = max(largest[partition], count)
    return largest


def _known(feed: Feed, reference: Reference, keys: Sequence[str]) -> dict[str, pa.Array]:
    """Values that other rows may refer to, per partition: those delivered within the lookback up to it."""
    other = feed.case.sources[reference.source]
    spans = {key: (feed.calendar.back(feed.calendar.at(key), other.lookback).key, key) for key in keys}
    first = min(begin for begin, _ in spans.values())
    table, columns = raw_table(feed.case, reference.source), [reference.column, "partition"]
    rows = feed.lake.read(table, feed.calendar.keys(first, keys[-1]), columns=columns)
    if rows is None:
        return dict.fromkeys(keys, pa.array([], ARROW[other.columns[reference.column].type]))
    at = rows["partition"]
    within = {
        key: pc.and_(pc.greater_equal(at, pa.scalar(begin)), pc.less_equal(at, pa.scalar(end)))
        for key, (begin, end) in spans.items()
    }
    return {key: pc.unique(rows[reference.column].filter(mask)) for key, mask in within.items()}

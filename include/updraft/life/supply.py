"""What the sources of a use case delivered for partitions, from the records that ingestion keeps."""

import math
from collections import Counter
from collections.abc import Sequence

from updraft.ingest.feed import Delivery, Feed
from updraft.ingest.late import noted
from updraft.ingest.verdict import kept
from updraft.lake import Lake
from updraft.monitor.supply import Supplied
from updraft.spec.model import UseCase


def supplied(case: UseCase, keys: Sequence[str], lake: Lake) -> tuple[Supplied, ...]:
    """Count what was delivered for partitions, by source and partition; no row of data is read."""
    return tuple(one for name in case.sources for one in _of_source(Feed(case, name, lake), keys))


def _of_source(feed: Feed, keys: Sequence[str]) -> list[Supplied]:
    published, every = feed.published(), feed.deliveries(keys)
    late = {(one.partition, one.delivery) for one in noted(feed, every)}
    found = {key: [delivery for delivery in every if delivery.partition == key] for key in keys}
    return [_of_partition(feed, key, found[key], late, key in published) for key in keys]


def _of_partition(
    feed: Feed, key: str, deliveries: Sequence[Delivery], late: set[tuple[str, str]], whole: bool
) -> Supplied:
    said = [verdict.summary for delivery in deliveries if (verdict := kept(feed, delivery))]
    broken: Counter[str] = Counter()
    for summary in said:
        broken.update(summary["rules"])
        broken.update(summary["warned"])
    return Supplied(
        source=feed.name,
        partition=key,
        whole=whole,
        rows=sum(delivery.rows for delivery in deliveries),
        bad=sum(summary["bad"] for summary in said),
        late=sum(delivery.rows for delivery in deliveries if (key, delivery.delivery) in late),
        deliveries=len(deliveries),
        lag_hours=_lag(feed, key, deliveries),
        broken=dict(broken),
    )


def _lag(feed: Feed, key: str, deliveries: Sequence[Delivery]) -> float:
    """Hours from the partition's moment to its first delivery; a history that has an end is replayed, not awaited."""
    if not deliveries or feed.case.partitions.last is not None:
        return math.nan
    first = min(delivery.landed for delivery in deliveries)
    return (first - feed.calendar.at(key).as_of).total_seconds() / 3600

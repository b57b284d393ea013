"""Deliveries: fetch, guard, hold against the contract, stamp when they became known, publish.

Every stage reads what there is to do from the lake and the inbox and may run again at any time, for one partition or
many, alone or beside others: it ends in the same rows.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from updraft import sources
from updraft.ingest.discard import discards, whole
from updraft.ingest.feed import Delivery, Feed
from updraft.ingest.healing import Healed, healings
from updraft.ingest.landing import Landed, arrivals
from updraft.ingest.publication import issue
from updraft.ingest.published import Published
from updraft.ingest.validation import Validated, judge
from updraft.ingest.verdict import Verdict, blocked
from updraft.lake import Lake
from updraft.sources import Connections, from_environment
from updraft.spec.model import UseCase

__all__ = [
    "Delivery",
    "Healed",
    "Landed",
    "Published",
    "Validated",
    "Verdict",
    "awaited",
    "delivered",
    "healed",
    "land",
    "publish",
    "quarantine_table",
    "stage",
    "validate",
]


def land(
    case: UseCase,
    source_name: str,
    partitions: Sequence[str],
    lake: Lake,
    inbox: Path,
    *,
    connections: Connections = from_environment,
) -> Landed:
    """Fetch the deliveries of partitions and stage their bytes as they came; bytes seen before change nothing.

    What can be landed is landed before anything is raised.

    :param connections: Looks up the connections that sources name.
    :raises DeliveryRefused: If a delivery cannot be read as the spec declares it; nothing of it is recorded.
    :raises DeliveryMissing: If a partition has no delivery, neither in the inbox nor in the lake.
    """
    feed = Feed(case, source_name, lake)
    arrived = arrivals(feed, feed.keys(partitions), inbox, connections)
    arrived.complain()
    return arrived.landed


def validate(case: UseCase, source_name: str, partitions: Sequence[str], lake: Lake) -> Validated:
    """Hold every landed delivery of partitions against the contract, and keep the report whatever the outcome.

    :raises DeliveryMissing: If a partition has no landed delivery.
    :raises ValidationBroken: If the validation could not be carried out; then nothing is valid.
    """
    feed = Feed(case, source_name, lake)
    return judge(feed, feed.landed(partitions), {})


def publish(case: UseCase, source_name: str, partitions: Sequence[str], lake: Lake) -> Published:
    """Publish the good rows of partitions and put the bad ones into quarantine, in a commit each.

    Of a blocked delivery no row is published; all others are published before it is complained about.

    :raises ValidationBroken: If a delivery was not validated against today's contract.
    :raises DeliveryBlocked: If a blocked delivery has not been followed by one that was published.
    """
    feed = Feed(case, source_name, lake)
    return issue(feed, feed.landed(partitions), {})


def stage(
    case: UseCase,
    source_name: str,
    partitions: Sequence[str],
    lake: Lake,
    inbox: Path,
    *,
    connections: Connections = from_environment,
) -> Published:
    """Land, validate and publish; a delivery that cannot go on does not hold up the others.

    :param connections: Looks up the connections that sources name.
    :raises DeliveryBlocked: As `publish`; after that, whatever `land` raises.
    """
    feed = Feed(case, source_name, lake)
    arrived = arrivals(feed, feed.keys(partitions), inbox, connections)
    deliveries = feed.deliveries(arrived.partitions)
    judge(feed, deliveries, arrived.decoded)
    published = issue(feed, deliveries, arrived.decoded)
    arrived.complain()
    return replace(published, new=arrived.landed.new)


def awaited(
    case: UseCase,
    source_name: str,
    partitions: Sequence[str],
    lake: Lake,
    inbox: Path,
    *,
    connections: Connections = from_environment,
) -> list[str]:
    """Partitions that have no complete delivery at the source, and none that has landed: an inbox may be emptied."""
    feed = Feed(case, source_name, lake)
    absent = sources.missing(feed.source, feed.keys(partitions), inbox, case=case, connections=connections)
    landed = {delivery.partition for delivery in feed.deliveries(absent)}
    return [key for key in absent if key not in landed]


def delivered(case: UseCase, source_name: str, lake: Lake) -> set[str]:
    """Partitions of which everything landed is published; those whose deliveries hold no row count as well."""
    return Feed(case, source_name, lake).published()


def healed(case: UseCase, source_name: str, partitions: Sequence[str], lake: Lake) -> list[Healed]:
    """Blocked deliveries of partitions that were followed by a published one, which took their place."""
    feed = Feed(case, source_name, lake)
    deliveries = feed.deliveries(sorted(set(feed.keys(partitions)) & feed.published()))
    decided = discards(feed, deliveries)
    out = {d.identity for d in deliveries if blocked(feed, d) or whole(d, decided)}
    return healings(deliveries, out)


def quarantine_table(case: UseCase, source_name: str) -> str:
    """Name of the table of rejected rows of a source."""
    return f"quarantine/{case.name}/{source_name}"

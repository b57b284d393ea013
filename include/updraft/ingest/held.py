"""What is held: the rows that wait for a repaired spec, a repaired delivery, or a person's decision."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from updraft.errors import Permanent
from updraft.ingest.account import Standing, standings
from updraft.ingest.feed import Delivery, Feed
from updraft.lake import Lake
from updraft.spec.model import UseCase

SAMPLE = 3
_TEXT = 200


@dataclass(frozen=True)
class Row:
    """A row that the contract rejected.

    :param row: Its number in the delivery, from 1.
    :param line: The line it begins on, where the format has lines.
    :param original: JSON text of the row as delivered, cut short.
    """

    row: int
    line: int | None
    rule: str
    reason: str
    original: str


@dataclass(frozen=True)
class Held:
    """Rows of a delivery that are held.

    :param why: The reason for the delivery's outcome, in counts.
    :param rows: How many rows are held; of a blocked delivery the good ones as well.
    :param rules: How many of them broke each rule, those broken most often first.
    :param sample: The first few that broke a rule.
    :param report: Key of the report in the lake; empty before the delivery is judged.
    """

    source: str
    delivery: Delivery
    outcome: str
    why: str
    rows: int
    rules: Mapping[str, int]
    sample: tuple[Row, ...]
    report: str


def held(case: UseCase, source_name: str, lake: Lake, partitions: Sequence[str] | None = None) -> list[Held]:
    """Deliveries of a source of which something is held, by partition and in the order they landed.

    :param partitions: Only these; all of them when `None`.
    """
    feed = Feed(case, source_name, lake)
    keys = waiting(feed) if partitions is None else feed.keys(partitions)
    found = standings(feed, feed.deliveries(keys))
    return [_held(feed, s, set(s.held.tolist()), SAMPLE) for s in found if s.waits]


def shown(case: UseCase, source_name: str, partition: str, lake: Lake, *, delivery: str = "", rows: int = 20) -> Held:
    """One delivery with its first rejected rows, whether they are still held or not.

    :param delivery: How its digest begins; may be left out when the partition has one delivery with rejected rows.
    :raises DeliveryMissing: If nothing has landed for the partition.
    :raises Permanent: If no delivery fits, or more than one does.
    """
    feed = Feed(case, source_name, lake)
    found = standings(feed, feed.landed([partition]))
    fitting = [s for s in found if s.delivery.delivery.startswith(delivery) and (delivery or s.rejects or s.waits)]
    if len(fitting) != 1:
        names = ", ".join(standing.delivery.delivery[:12] for standing in fitting or found)
        raise Permanent(
            f"{len(fitting)} deliveries of {source_name} for {partition} begin with {delivery[:64]!r} and have "
            f"something to show.",
            next_step=f"name one of these: {names}.",
        )
    return _held(feed, fitting[0], {number for number, *_ in fitting[0].rejects}, rows)


def waiting(feed: Feed) -> list[str]:
    """Partitions in which something may be held: those with rows in quarantine, and those not wholly published."""
    landed = set(feed.partitions())
    quarantined = set(feed.lake.partitions(f"quarantine/{feed.case.name}/{feed.name}"))
    return sorted(quarantined | (landed - feed.published()))


def _held(feed: Feed, standing: Standing, which: set[int], rows: int) -> Held:
    told = [Row(n, line, rule, reason, text[:_TEXT]) for n, rule, reason, text, line in standing.rejects if n in which]
    counted = Counter(row.rule for row in told)
    verdict = standing.verdict
    return Held(
        source=feed.name,
        delivery=standing.delivery,
        outcome=standing.outcome,
        why=verdict.why if verdict else "it was not judged yet",
        rows=len(standing.held),
        rules=dict(sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))),
        sample=tuple(told[:rows]),
        report=verdict.report if verdict else "",
    )

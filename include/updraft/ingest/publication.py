"""Publish: good rows to the raw table, bad ones to quarantine, whole partitions at a time.

A partition holds the rows of all its published deliveries, each once and in one order, whoever published them when.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from updraft.asof import aligned, demand_same_types, raw_schema, raw_table
from updraft.errors import DeliveryBlocked, ValidationBroken
from updraft.ingest import snapshot
from updraft.ingest.feed import Delivery, Feed, named
from updraft.ingest.healing import healings
from updraft.ingest.late import Late, changed, note, noted, told
from updraft.ingest.stamp import stamped
from updraft.ingest.validation import rows_of
from updraft.ingest.verdict import Rejected, Verdict, current, rejected
from updraft.rows import Rows
from updraft.sources.decode import Decoded

_TEXTS = ("rule", "reason", "original", "delivery", "partition")
_COLUMNS: dict[str, pa.DataType] = {**dict.fromkeys(_TEXTS, pa.string()), "row": pa.int64()}
QUARANTINE = pa.schema(_COLUMNS)
_SLASH: Any = "/"
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Published:
    """What was published; the rows delivered are those published, those quarantined and those held back.

    :param deliveries: Deliveries of the partitions, blocked ones included.
    :param rows: Rows of the raw table that stem from them.
    :param quarantined: Bad rows of deliveries that were published without them.
    :param held: Rows of blocked deliveries, good and bad, that a later delivery made good.
    :param version: Version of the raw table; `None` while no row was ever published.
    :param late: What came after partitions that should have seen it were computed.
    :param gone: Rows among `rows` that no snapshot delivered: they say that a fact is gone.
    :param unchanged: Rows of snapshots that were known already, and are not stored again.
    """

    source: str
    partitions: tuple[str, ...]
    deliveries: int
    rows: int
    quarantined: int
    held: int
    version: int | None
    late: tuple[Late, ...] = ()
    gone: int = 0
    unchanged: int = 0

    def summary(self) -> dict[str, Any]:
        """Counts, small enough to hand from task to task."""
        return {
            "source": self.source,
            "partitions": len(self.partitions),
            "deliveries": self.deliveries,
            "rows": self.rows,
            "quarantined": self.quarantined,
            "held": self.held,
            "version": self.version,
            **({"gone": self.gone, "unchanged": self.unchanged} if self.gone or self.unchanged else {}),
            **({"late": told(self.late)} if self.late else {}),
        }


def quarantine_table(feed: Feed) -> str:
    """Name of the quarantine of a source."""
    return f"quarantine/{feed.case.name}/{feed.name}"


def issue(feed: Feed, deliveries: Sequence[Delivery], decoded: Mapping[str, Decoded]) -> Published:
    """Write quarantine, then raw rows, then the marks of what is published; complain about blocked deliveries last.

    :param decoded: Rows that are at hand already, by identity.
    """
    verdicts = {delivery.identity: _verdict(feed, delivery) for delivery in deliveries}
    bad = {identity: rejected(feed, verdict) for identity, verdict in verdicts.items()}
    demand_same_types(_raw(feed), feed.lake.read(_raw(feed), []), raw_schema(feed.source))
    passed = [delivery for delivery in deliveries if verdicts[delivery.identity].outcome != "blocked"]
    keys = sorted({delivery.partition for delivery in deliveries})
    quarantined = [_quarantined(delivery, bad[delivery.identity]) for delivery in deliveries]
    _write(feed, quarantine_table(feed), quarantined, QUARANTINE, deliveries)
    good, version = (_changes if feed.source.snapshot else _all)(feed, deliveries, passed, decoded)
    rows = sum(len(good[delivery.identity]) for delivery in passed)
    gone = sum(snapshot.gone(good[delivery.identity]) for delivery in passed) if feed.source.snapshot else 0
    held = [delivery for delivery in deliveries if delivery not in passed]
    healed = {healing.identity for healing in healings(deliveries, {delivery.identity for delivery in held})}
    standing = [delivery for delivery in held if delivery.identity not in healed]
    feed.announce(sorted(set(keys) - {delivery.partition for delivery in standing}))
    if standing:
        raise _blocked(feed, standing, verdicts)
    return Published(
        source=feed.name,
        partitions=tuple(keys),
        deliveries=len(deliveries),
        rows=rows,
        quarantined=sum(len(bad[delivery.identity]) for delivery in passed),
        held=sum(delivery.rows for delivery in held),
        version=version,
        late=noted(feed, deliveries),
        gone=gone,
        unchanged=sum(d.rows - len(bad[d.identity]) for d in passed) - (rows - gone),
    )


def _verdict(feed: Feed, delivery: Delivery) -> Verdict:
    verdict = current(feed, delivery)
    if verdict is None:
        raise ValidationBroken(
            f"{feed.name} for {delivery.identity[:40]} was not validated against today's contract.",
            next_step="validate it, then publish.",
        )
    return verdict


def _good(feed: Feed, delivery: Delivery, decoded: Mapping[str, Decoded], bad: Rejected) -> Rows:
    rows = stamped(feed, delivery, rows_of(feed, delivery, decoded), [number for number, *_ in bad])
    if len(rows) + len(bad) != delivery.rows:
        raise ValidationBroken(
            f"{feed.name} for {delivery.partition}: of {delivery.rows} rows delivered, {len(rows)} are good and "
            f"{len(bad)} are bad.",
            next_step="validate it again.",
        )
    return rows


def _raw(feed: Feed) -> str:
    return raw_table(feed.case, feed.name)


def _all(
    feed: Feed, deliveries: Sequence[Delivery], passed: Sequence[Delivery], decoded: Mapping[str, Decoded]
) -> tuple[dict[str, Rows], int | None]:
    """Store the good rows as they are; return them with the version of the table."""
    good = {d.identity: _good(feed, d, decoded, rejected(feed, _verdict(feed, d))) for d in passed}
    return good, _store(feed, good, deliveries)


def _changes(
    feed: Feed, deliveries: Sequence[Delivery], passed: Sequence[Delivery], decoded: Mapping[str, Decoded]
) -> tuple[dict[str, Rows], int | None]:
    """Store what snapshots changed, and what those behind them changed once these are there."""
    while True:
        known, chain = feed.lake.version(_raw(feed)), snapshot.behind(feed, deliveries)
        earlier = [key for key in feed.lake.partitions(_raw(feed)) if key < min(d.partition for d in deliveries)]
        before = feed.lake.read(_raw(feed), earlier)
        good = snapshot.changes(feed, before, (_snapshot(feed, d, decoded) for d in chain), passed)
        behind = [d for d in chain if d.identity in good and d not in deliveries]
        version = _store(feed, good, [*deliveries, *behind])
        # Whoever published another snapshot meanwhile may have stood before this one: look again.
        if version is None or (known is not None and version <= known + 1):
            return good, version


def _snapshot(feed: Feed, delivery: Delivery, decoded: Mapping[str, Decoded]) -> snapshot.Snapshot:
    bad = rejected(feed, _verdict(feed, delivery))
    return snapshot.Snapshot(delivery, _good(feed, delivery, decoded, bad), bad)


def _store(feed: Feed, good: Mapping[str, Rows], deliveries: Sequence[Delivery]) -> int | None:
    """Write raw rows; what comes too late for partitions computed by now, or meanwhile, is recorded."""
    changes = changed(feed, deliveries, good)
    note(feed, changes)
    version = _write(feed, _raw(feed), list(good.values()), raw_schema(feed.source), deliveries)
    note(feed, changes)
    return version


def _quarantined(delivery: Delivery, bad: Rejected) -> Rows:
    found = [
        {"rule": rule, "reason": reason, "original": text, "delivery": delivery.delivery, "row": number,
         "partition": delivery.partition}
        for number, rule, reason, text in bad
    ]  # fmt: skip
    return pa.Table.from_pylist(found, QUARANTINE)


def _write(
    feed: Feed, table: str, parts: Sequence[Rows], schema: pa.Schema, deliveries: Sequence[Delivery]
) -> int | None:
    """Make the parts the rows of their deliveries, beside the rows of deliveries that someone else published."""
    keys = sorted({delivery.partition for delivery in deliveries})
    rows = pa.concat_tables([schema.empty_table(), *parts])
    own = pa.array([delivery.identity for delivery in deliveries], pa.string())

    def change(before: Rows | None) -> Rows:
        if before is None:
            return _in_order(rows)
        identity = pc.binary_join_element_wise(before["partition"], before["delivery"], _SLASH)
        others = before.filter(pc.invert(pc.is_in(identity, own)))
        # A column that the spec dropped stays in the table.
        dropped = [field for field in before.schema if field.name not in schema.names]
        whole = pa.schema([*schema, *dropped])
        return _in_order(pa.concat_tables([aligned(others, whole), aligned(rows, whole)]))

    if not keys or (not len(rows) and feed.lake.version(table) is None):
        return feed.lake.version(table)
    version = feed.lake.update(table, keys, change)
    _log.info("%s: %d rows of %d deliveries are in version %d", table, len(rows), len(deliveries), version)
    return version


def _in_order(rows: Rows) -> Rows:
    return rows.sort_by([("partition", "ascending"), ("delivery", "ascending"), ("row", "ascending")])


def _blocked(feed: Feed, standing: Sequence[Delivery], verdicts: Mapping[str, Verdict]) -> DeliveryBlocked:
    told = [f"{delivery.partition}: {verdicts[delivery.identity].why}" for delivery in standing]
    first = verdicts[standing[0].identity]
    rows = sum(delivery.rows for delivery in standing)
    return DeliveryBlocked(
        f"{len(standing)} deliveries of {feed.name} are blocked, {rows} rows are held back. {named(told)}. "
        f"Report: {feed.lake.location(first.report)}.",
        next_step=f"read the report, repair the delivery and run ingest for {standing[0].partition} again.",
    )

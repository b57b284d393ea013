"""Publish: good rows to the raw table, bad ones to quarantine, whole partitions at a time.

A partition holds the rows of all its published deliveries, each once and in one order, whoever published them when.
"""

import logging
from collections.abc import Mapping, Sequence, Sized
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from updraft.asof import raw_schema, raw_table
from updraft.errors import DeliveryBlocked, ValidationBroken
from updraft.ingest import bulk, snapshot
from updraft.ingest.discard import Discard, discards, numbers, whole
from updraft.ingest.feed import NAMES_SHOWN, Delivery, Feed, named
from updraft.ingest.healing import healings, superseded
from updraft.ingest.late import changed, note, noted
from updraft.ingest.published import Published
from updraft.ingest.stamp import Stamped
from updraft.ingest.validation import rows_of
from updraft.ingest.verdict import Rejected, Verdict, current, described, rejected
from updraft.lake.tables import same_types
from updraft.rows import Rows, aligned
from updraft.sources.decode import Decoded

_TEXTS = ("rule", "reason", "original", "delivery", "partition")
_COLUMNS: dict[str, pa.DataType] = {**dict.fromkeys(_TEXTS, pa.string()), **dict.fromkeys(("row", "line"), pa.int64())}
QUARANTINE = pa.schema(_COLUMNS)
Decided: TypeAlias = Mapping[str, tuple[Discard, ...]]
DISCARDED = "discarded"  # the rule of a row that only a person's decision keeps out
_SLASH: Any = "/"
_log = logging.getLogger(__name__)


def quarantine_table(feed: Feed) -> str:
    """Name of the quarantine of a source."""
    return f"quarantine/{feed.case.name}/{feed.name}"


def issue(feed: Feed, deliveries: Sequence[Delivery], decoded: Mapping[str, Decoded]) -> Published:
    """Write quarantine, then raw rows, then the marks of what is published; complain about blocked deliveries last.

    :param decoded: Rows that are at hand already, by identity.
    :raises SpecInvalid: If the spec gives a column another type than the rows published so far.
    """
    ready = prepare(feed, deliveries, decoded)
    published = write(feed, ready, decoded)
    if ready.standing:
        raise _blocked(feed, ready)
    return published


@dataclass(frozen=True)
class Ready:
    """What is to be written about deliveries, all of whose partitions' verdicts are known.

    :param good: Raw rows of those that are published, by identity.
    :param bad: Rows set aside, by identity: those the contract rejected, and those a person discarded.
    :param standing: Blocked deliveries that nothing and nobody has made good.
    """

    deliveries: tuple[Delivery, ...]
    verdicts: Mapping[str, Verdict]
    discards: Decided
    good: Mapping[str, Stamped]
    bad: Mapping[str, Rejected]
    standing: tuple[Delivery, ...]


def prepare(feed: Feed, deliveries: Sequence[Delivery], decoded: Mapping[str, Decoded]) -> Ready:
    """Say which rows are published and which are set aside."""
    _, stored = feed.lake.shape(_raw(feed)) or (0, None)
    same_types(_raw(feed), stored, raw_schema(feed.source))
    verdicts = {delivery.identity: _verdict(feed, delivery) for delivery in deliveries}
    decided = discards(feed, deliveries)
    blocked = {identity for identity, verdict in verdicts.items() if verdict.outcome == "blocked"}
    dropped = {delivery.identity for delivery in deliveries if whole(delivery, decided)}
    replaced = superseded(deliveries, blocked | dropped)
    good, bad = {}, {identity: rejected(feed, verdict) for identity, verdict in verdicts.items()}
    for delivery in deliveries:
        if delivery.identity not in blocked | dropped | replaced:
            good[delivery.identity], bad[delivery.identity] = _parted(feed, delivery, decoded, decided)
    healed = {healing.identity for healing in healings(deliveries, blocked | dropped)}
    standing = [d for d in deliveries if d.identity in blocked - dropped - replaced - healed]
    return Ready(tuple(deliveries), verdicts, decided, good, bad, tuple(standing))


def write(feed: Feed, ready: Ready, decoded: Mapping[str, Decoded]) -> Published:
    """Write quarantine, then raw rows, then the marks of what is published."""
    deliveries = ready.deliveries
    keys = sorted({delivery.partition for delivery in deliveries})
    passed = [delivery for delivery in deliveries if delivery.identity in ready.good]
    quarantined = [_quarantined(delivery, ready.bad[delivery.identity]) for delivery in deliveries]
    _write(feed, quarantine_table(feed), quarantined, QUARANTINE, deliveries)
    stored: Mapping[str, Sized] = ready.good
    gone = 0
    if feed.source.snapshot:
        moved, version = _changes(feed, deliveries, passed, decoded)
        stored, gone = moved, sum(snapshot.gone(moved[delivery.identity]) for delivery in passed)
    else:
        version = _publish(feed, ready.good, deliveries)
    if discards(feed, deliveries) != ready.discards:
        # Somebody discarded rows in between, and they may have been published just now.
        return write(feed, prepare(feed, deliveries, decoded), decoded)
    feed.announce(sorted(set(keys) - {delivery.partition for delivery in ready.standing}))
    rows = sum(len(stored[delivery.identity]) for delivery in passed)
    return Published(
        source=feed.name,
        partitions=tuple(keys),
        deliveries=len(deliveries),
        rows=rows,
        quarantined=sum(len(ready.bad[delivery.identity]) for delivery in passed),
        held=sum(delivery.rows for delivery in deliveries if delivery not in passed),
        version=version,
        warned=sum(sum(verdict.summary["warned"].values()) for verdict in ready.verdicts.values()),
        reports=_reports(list(ready.verdicts.values())),
        late=noted(feed, deliveries),
        gone=gone,
        unchanged=sum(len(ready.good[delivery.identity]) for delivery in passed) - (rows - gone),
    )


def _reports(verdicts: Sequence[Verdict]) -> tuple[str, ...]:
    telling = [verdict for verdict in verdicts if verdict.outcome != "accepted" or verdict.summary["warned"]]
    return tuple(verdict.report for verdict in (telling or verdicts[:1])[:NAMES_SHOWN])


def _verdict(feed: Feed, delivery: Delivery) -> Verdict:
    verdict = current(feed, delivery)
    if verdict is None:
        raise ValidationBroken(
            f"{feed.name} for {delivery.identity[:40]} was not validated against today's contract.",
            next_step="validate it, then publish.",
        )
    return verdict


def _parted(
    feed: Feed, delivery: Delivery, decoded: Mapping[str, Decoded], decided: Decided
) -> tuple[Stamped, Rejected]:
    """Rows of a delivery that are published, and those set aside."""
    rows = rows_of(feed, delivery, decoded)
    bad = rejected(feed, _verdict(feed, delivery))
    bad += _discarded(rows, bad, decided.get(delivery.identity, ()))
    return _good(feed, delivery, rows, bad), bad


def _discarded(rows: Decoded, bad: Rejected, own: Sequence[Discard]) -> Rejected:
    """Rows that a person discarded and that the contract would let pass by now."""
    passing = np.setdiff1d(numbers(own), [number for number, *_ in bad]).tolist()
    why = own[0].why if own else ""
    return described(rows, [(number, DISCARDED, why) for number in passing])


def _good(feed: Feed, delivery: Delivery, decoded: Decoded, bad: Rejected) -> Stamped:
    rows = Stamped(feed, delivery, decoded, [number for number, *_ in bad])
    if len(rows) + len(bad) != delivery.rows:
        raise ValidationBroken(
            f"{feed.name} for {delivery.partition}: of {delivery.rows} rows delivered, {len(rows)} are good and "
            f"{len(bad)} are bad.",
            next_step="validate it again.",
        )
    return rows


def _raw(feed: Feed) -> str:
    return raw_table(feed.case, feed.name)


def _changes(
    feed: Feed, deliveries: Sequence[Delivery], passed: Sequence[Delivery], decoded: Mapping[str, Decoded]
) -> tuple[dict[str, Rows], int | None]:
    """Store what snapshots changed, and what those behind them changed once these are there."""
    while True:
        known, chain = feed.lake.version(_raw(feed)), _chain(feed, deliveries)
        decided = discards(feed, chain)
        earlier = [key for key in feed.lake.partitions(_raw(feed)) if key < min(d.partition for d in deliveries)]
        before = feed.lake.read(_raw(feed), earlier)
        good = snapshot.changes(feed, before, (_snapshot(feed, d, decoded, decided) for d in chain), passed)
        behind = [d for d in chain if d.identity in good and d not in deliveries]
        version = _store(feed, good, [*deliveries, *behind])
        # Whoever published another snapshot meanwhile may have stood before this one: look again.
        if version is None or (known is not None and version <= known + 1):
            return good, version


def _chain(feed: Feed, deliveries: Sequence[Delivery]) -> list[Delivery]:
    """Snapshots from the first of `deliveries` on, without those that a person or a repair made history."""
    found = snapshot.behind(feed, deliveries)
    decided = discards(feed, found)
    dropped = {delivery.identity for delivery in found if whole(delivery, decided)}
    out = dropped | superseded(sorted(found, key=lambda d: (d.partition, d.landed)), dropped)
    return [delivery for delivery in found if delivery.identity not in out]


def _snapshot(feed: Feed, delivery: Delivery, decoded: Mapping[str, Decoded], decided: Decided) -> snapshot.Snapshot:
    rows, rejected = _parted(feed, delivery, decoded, decided)
    return snapshot.Snapshot(delivery, rows.rows, rejected)


def _publish(feed: Feed, good: Mapping[str, Stamped], deliveries: Sequence[Delivery]) -> int | None:
    """Write raw rows: partitions that are large one by one, all others together."""
    alone = bulk.large(deliveries)
    for key in sorted(alone):
        own = [delivery for delivery in deliveries if delivery.partition == key]
        moments = {delivery: bulk.changed(feed, delivery, good.get(delivery.identity)) for delivery in own}
        changes = {delivery: moment for delivery, moment in moments.items() if moment is not None}
        note(feed, changes)
        if changes:
            version = bulk.pour(feed, key, own, good)
            _log.info("%s: %s is in version %d", _raw(feed), key, version)
        note(feed, changes)
    few = [delivery for delivery in deliveries if delivery.partition not in alone]
    return _store(feed, {d.identity: good[d.identity].rows for d in few if d.identity in good}, few)


def _store(feed: Feed, good: Mapping[str, Rows], deliveries: Sequence[Delivery]) -> int | None:
    """Write raw rows; what comes too late for partitions computed by now, or meanwhile, is recorded."""
    changes = changed(feed, deliveries, good)
    note(feed, changes)
    version = _write(feed, _raw(feed), list(good.values()), raw_schema(feed.source), deliveries)
    note(feed, changes)
    return version


def _quarantined(delivery: Delivery, bad: Rejected) -> Rows:
    found = [
        {"rule": rule, "reason": reason, "original": text, "delivery": delivery.delivery, "row": number, "line": line,
         "partition": delivery.partition}
        for number, rule, reason, text, line in bad
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


def _blocked(feed: Feed, ready: Ready) -> DeliveryBlocked:
    standing, verdicts = ready.standing, ready.verdicts
    told = [f"{delivery.partition}: {verdicts[delivery.identity].why}" for delivery in standing]
    first = verdicts[standing[0].identity]
    rows = sum(delivery.rows for delivery in standing)
    return DeliveryBlocked(
        f"{len(standing)} deliveries of {feed.name} are blocked, {rows} rows are held back. {named(told)}. "
        f"Report: {feed.lake.location(first.report)}.",
        next_step=f"read the report, repair the delivery and run ingest for {standing[0].partition} again; "
        "or repair the contract and replay it.",
    )

"""Publish: good rows to the raw table, bad ones to quarantine, whole partitions at a time.

A partition holds the rows of all its published deliveries, each once and in one order, whoever published them when.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from updraft.asof import aligned, raw_schema, raw_table
from updraft.errors import DeliveryBlocked, SpecInvalid, ValidationBroken
from updraft.ingest.feed import Delivery, Feed, named
from updraft.ingest.healing import healings
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
    """

    source: str
    partitions: tuple[str, ...]
    deliveries: int
    rows: int
    quarantined: int
    held: int
    version: int | None

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
        }


def quarantine_table(feed: Feed) -> str:
    """Name of the quarantine of a source."""
    return f"quarantine/{feed.case.name}/{feed.name}"


def issue(feed: Feed, deliveries: Sequence[Delivery], decoded: Mapping[str, Decoded]) -> Published:
    """Write quarantine, then raw rows, then the marks of what is published; complain about blocked deliveries last.

    :param decoded: Rows that are at hand already, by identity.
    :raises SpecInvalid: If the spec gives a column another type than the rows published so far.
    """
    verdicts = {delivery.identity: _verdict(feed, delivery) for delivery in deliveries}
    bad = {identity: rejected(feed, verdict) for identity, verdict in verdicts.items()}
    good = {
        d.identity: _good(feed, d, decoded, bad[d.identity])
        for d in deliveries
        if verdicts[d.identity].outcome != "blocked"
    }
    keys = sorted({delivery.partition for delivery in deliveries})
    quarantined = [_quarantined(delivery, bad[delivery.identity]) for delivery in deliveries]
    _write(feed, quarantine_table(feed), quarantined, QUARANTINE, deliveries)
    version = _write(feed, raw_table(feed.case, feed.name), list(good.values()), raw_schema(feed.source), deliveries)
    held = [delivery for delivery in deliveries if delivery.identity not in good]
    healed = {healing.identity for healing in healings(deliveries, {delivery.identity for delivery in held})}
    standing = [delivery for delivery in held if delivery.identity not in healed]
    feed.announce(sorted(set(keys) - {delivery.partition for delivery in standing}))
    if standing:
        raise _blocked(feed, standing, verdicts)
    return Published(
        source=feed.name,
        partitions=tuple(keys),
        deliveries=len(deliveries),
        rows=sum(len(rows) for rows in good.values()),
        quarantined=sum(len(bad[identity]) for identity in good),
        held=sum(delivery.rows for delivery in held),
        version=version,
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
        _same_types(table, before.schema, schema)
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


def _same_types(table: str, before: pa.Schema, wanted: pa.Schema) -> None:
    for field in wanted:
        if field.name in before.names and (held := before.field(field.name).type) != field.type:
            raise SpecInvalid(
                f"{table} holds {field.name} as {held}, spec.yaml now makes it {field.type}.",
                next_step="give the new column another name; what was published keeps its type.",
            )


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

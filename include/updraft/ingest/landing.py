"""Land: from the inbox to staged bytes and a record. What cannot be read is refused before anything is recorded."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from updraft import sources
from updraft.errors import DeliveryMissing, DeliveryRefused, SourceUnavailable, Transient, Unchanged
from updraft.ingest import redaction, tags
from updraft.ingest.feed import NAMES_SHOWN, PACKED, Delivery, Feed, named, stem
from updraft.ingest.verdict import blocked
from updraft.sources import Connections, Found
from updraft.sources.decode import Decoded
from updraft.spool import sha256, size

_log = logging.getLogger(__name__)
_TICK = timedelta(microseconds=1)


@dataclass(frozen=True)
class Landed:
    """What landed.

    :param deliveries: Deliveries in the inbox or landed before, by partition.
    :param new: How many of them were not known before.
    """

    source: str
    deliveries: tuple[Delivery, ...]
    new: int

    def summary(self) -> dict[str, Any]:
        """Counts and a few names, small enough to hand from task to task."""
        extra = sorted({name[:80] for delivery in self.deliveries for name in delivery.extra_columns})
        return {
            "source": self.source,
            "partitions": len({delivery.partition for delivery in self.deliveries}),
            "deliveries": len(self.deliveries),
            "new": self.new,
            "rows": sum(delivery.rows for delivery in self.deliveries),
            "bytes": sum(delivery.bytes for delivery in self.deliveries),
            "extra_columns": extra[:NAMES_SHOWN],
        }


@dataclass(frozen=True)
class Arrivals:
    """What landed, and what did not.

    :param decoded: Rows of the deliveries that landed now, by identity.
    :param refused: The reason for each delivery that cannot be read, by where it came from.
    :param missing: Partitions without a delivery.
    :param unsettled: Why a delivery could not be fetched now, by partition.
    """

    landed: Landed
    decoded: dict[str, Decoded]
    refused: dict[str, DeliveryRefused]
    missing: tuple[str, ...]
    unsettled: dict[str, Transient]

    @property
    def partitions(self) -> list[str]:
        """Partitions that have a delivery."""
        return sorted({delivery.partition for delivery in self.landed.deliveries})

    def complain(self) -> None:
        """Raise what stood in the way, refusals first: waiting does not mend them."""
        if self.refused:
            origin, first = next(iter(self.refused.items()))
            others = f" Refused as well: {named(list(self.refused)[1:])}." if len(self.refused) > 1 else ""
            raise DeliveryRefused(
                f"{self.landed.source} from {origin} is refused. {first.what}{others}", next_step=first.next_step
            ) from first
        if self.missing:
            why = next((fault for key, fault in self.unsettled.items() if key in self.missing), None)
            raise DeliveryMissing(
                f"There is no delivery of {self.landed.source} for {named(self.missing)} yet."
                f"{f' {why.what}' if why else ''}",
                next_step=why.next_step if why else "wait for it, or ask the sender.",
            ) from why


def arrivals(
    feed: Feed, keys: Sequence[str], inbox: Path, connections: Connections = sources.from_environment
) -> Arrivals:
    """Land whatever is there for the partitions."""
    desk = _Desk(feed, feed.deliveries(keys), connections)
    for found in sources.find(feed.source, keys, inbox, case=feed.case, connections=connections):
        desk.receive(found, inbox)
    there = {delivery.partition for delivery in desk.landed.values()} | {found.partition for found in desk.refused}
    return Arrivals(
        landed=Landed(feed.name, tuple(desk.landed[identity] for identity in sorted(desk.landed)), len(desk.decoded)),
        decoded=desk.decoded,
        refused={found.origin[:200]: refusal for found, refusal in desk.refused.items()},
        missing=tuple(key for key in keys if key not in there),
        unsettled=desk.unsettled,
    )


class _Desk:
    """Receives deliveries one after the other."""

    def __init__(self, feed: Feed, before: Sequence[Delivery], connections: Connections) -> None:
        self.landed = {delivery.identity: delivery for delivery in before}
        self.decoded: dict[str, Decoded] = {}
        self.refused: dict[Found, DeliveryRefused] = {}
        self.unsettled: dict[str, Transient] = {}
        self._feed, self._before, self._now = feed, before, datetime.now(UTC)
        self._connections = connections

    def receive(self, found: Found, inbox: Path) -> None:
        """Land a delivery, or note why it is refused; one that changes while it is read is not there yet."""
        try:
            tag = tags.last(self._feed, found, self.landed)
            how: dict[str, Any] = {"case": self._feed.case, "connections": self._connections, "tag": tag}
            data = sources.fetch(self._feed.source, found, inbox, **how)
            identity = f"{found.partition}/{sha256(data)}"
            if identity not in self.landed:
                rows, staged = redaction.opened(self._feed, data, compressed=found.origin.endswith(PACKED))
                redacted = "" if staged is data else sha256(staged)
                self._feed.lake.keep(redaction.place(self._feed, identity, redacted), staged)
                self.landed[identity] = self._record(found, identity, size(data), rows, redacted)
                self.decoded[identity] = rows
            tags.keep(self._feed, found, tag, identity)
        except Unchanged as same:
            _log.info("%s", same)
        except DeliveryRefused as refusal:
            self.refused[found] = refusal
        except (DeliveryMissing, SourceUnavailable) as unsettled:
            _log.info("%s", unsettled)
            self.unsettled.setdefault(found.partition, unsettled)

    def _record(self, found: Found, identity: str, stored: int, rows: Decoded, redacted: str) -> Delivery:
        """Store the record that makes staged bytes count."""
        return self._feed.record(
            Delivery(
                partition=found.partition,
                delivery=identity.rpartition("/")[2],
                origin=found.origin,
                bytes=stored,
                rows=rows.count,
                columns=rows.header,
                extra_columns=rows.extra,
                landed_at=self._moment(found.partition).isoformat(),
                revision=self._revision(found),
                redacted=redacted,
            )
        )

    def _moment(self, partition: str) -> datetime:
        """Now, or just after what landed before, should the clock have jumped back."""
        return max([self._now, *(d.landed + _TICK for d in self._before if d.partition == partition)])

    def _revision(self, found: Found) -> int:
        same = [d for d in self._before if d.partition == found.partition and stem(d.origin) == stem(found.origin)]
        return sum(not blocked(self._feed, delivery) for delivery in same)

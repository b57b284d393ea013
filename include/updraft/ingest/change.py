"""Changes: rows that are about to appear in the past, or to go from it, recorded before they move.

Whoever computed something from the past can be told, even if the run that moved the rows was killed.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from updraft.asof import raw_schema, raw_table
from updraft.ingest import bulk
from updraft.ingest.discard import Numbers, Spans, spans
from updraft.ingest.feed import Delivery, Feed
from updraft.ingest.stamp import Stamped
from updraft.rows import Rows, aligned, digest


@dataclass(frozen=True)
class Change:
    """Rows of a delivery that a replay moves.

    :param released: Rows that become published, as runs of numbers.
    :param withdrawn: Rows that no longer are.
    :param version: Of the raw table before the move; `-1` when there was none.
    :param known_from: The earliest moment at which any of them counts as known (UTC, ISO 8601).
    """

    partition: str
    delivery: str
    released: Spans
    withdrawn: Spans
    known_from: str
    version: int
    who: str
    at: str

    @property
    def since(self) -> datetime:
        """The earliest moment at which anybody could see the difference."""
        return datetime.fromisoformat(self.known_from)

    def count(self, which: Literal["released", "withdrawn"]) -> int:
        """Number of rows."""
        return sum(last - first + 1 for first, last in (self.released if which == "released" else self.withdrawn))

    @property
    def name(self) -> str:
        """What tells it from others: the same rows may move back and forth, but not from one version."""
        moved = [self.partition, self.delivery, self.released, self.withdrawn, self.known_from, self.version]
        return hashlib.sha256(json.dumps(moved).encode()).hexdigest()[:16]


def changes(feed: Feed, deliveries: Sequence[Delivery], good: Mapping[str, Stamped], who: str) -> list[Change]:
    """Hold the good rows of partitions against those published; one change per delivery that differs.

    :param deliveries: All of their partitions.
    :param good: Rows to be published, by the identity of their delivery.
    """
    now, version = datetime.now(UTC).isoformat(), feed.lake.version(raw_table(feed.case, feed.name))
    alone = bulk.large(deliveries)
    moves = _moves(feed, [delivery for delivery in deliveries if delivery.partition not in alone], good)
    for delivery in deliveries:
        if delivery.partition in alone and (move := bulk.move(feed, delivery, good.get(delivery.identity))):
            moves[delivery.identity] = move
    found = []
    for identity, move in sorted(moves.items()):
        about = (spans(move.released), spans(move.withdrawn), move.earliest.isoformat())
        partition, _, delivered = identity.partition("/")
        found.append(Change(partition, delivered, *about, -1 if version is None else version, who, now))
    return found


def _moves(feed: Feed, deliveries: Sequence[Delivery], good: Mapping[str, Stamped]) -> dict[str, bulk.Move]:
    schema = raw_schema(feed.source)
    keys = sorted({delivery.partition for delivery in deliveries})
    before = _by_delivery(aligned(feed.lake.read(raw_table(feed.case, feed.name), keys), schema))
    after = {d.identity: good[d.identity].rows for d in deliveries if d.identity in good}
    found = {}
    for identity in {*before, *after}:
        old, new = before.get(identity, schema.empty_table()), after.get(identity, schema.empty_table())
        if digest(old) == digest(new):
            continue
        released, withdrawn = _without(new, old), _without(old, new)
        # Rows that are read anew as something else differ everywhere.
        moved = pa.concat_tables([released, withdrawn] if len(released) or len(withdrawn) else [old, new])
        earliest = pc.min(moved["known_at"]).as_py()
        found[identity] = bulk.Move(_numbers(released), _numbers(withdrawn), earliest)
    return found


def keep(feed: Feed, change: Change) -> None:
    """Record a change."""
    place = feed.place("changes", f"{change.partition}/{change.name}", ".json")
    feed.lake.create(place, json.dumps(asdict(change), sort_keys=True).encode())


def kept(feed: Feed, partitions: Sequence[str]) -> list[Change]:
    """Changes recorded for partitions, in the order they were made."""
    wanted = set(partitions)
    places = feed.lake.keys(f"changes/{feed.case.name}/{feed.name}")
    found = [_read(feed, place) for place in places if place.split("/")[3] in wanted]
    return sorted(found, key=lambda change: (change.at, change.partition, change.delivery))


def _read(feed: Feed, place: str) -> Change:
    found: dict[str, Any] = json.loads(feed.lake.get(place))
    moved = {name: tuple((first, last) for first, last in found[name]) for name in ("released", "withdrawn")}
    return Change(**{**found, **moved})


def _by_delivery(rows: Rows) -> dict[str, Rows]:
    """Rows by the identity of their delivery."""
    slash: Any = "/"
    identities = pc.binary_join_element_wise(rows["partition"], rows["delivery"], slash)
    return {identity: rows.filter(pc.equal(identities, identity)) for identity in pc.unique(identities).to_pylist()}


def _without(rows: Rows, others: Rows) -> Rows:
    """Rows of a delivery whose numbers the others lack."""
    return rows.filter(pc.invert(pc.is_in(rows["row"], others["row"].combine_chunks())))


def _numbers(rows: Rows) -> Numbers:
    return np.sort(rows["row"].to_numpy())

"""Discards: a person's decision that rows are never published. The rows stay on record, and so do reason and name."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from updraft.ingest.feed import Delivery, Feed

Numbers = NDArray[np.int64]
Spans = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Discard:
    """Rows of a delivery that are never published.

    :param rows: First and last number of each run of rows.
    :param at: When it was decided (UTC, ISO 8601).
    """

    partition: str
    delivery: str
    rows: Spans
    why: str
    who: str
    at: str

    @property
    def identity(self) -> str:
        """Identity of the delivery."""
        return f"{self.partition}/{self.delivery}"


def keep(feed: Feed, discard: Discard) -> bool:
    """Record a discard; the same rows are discarded once, and the first reason stands."""
    by = hashlib.sha256(json.dumps(discard.rows).encode()).hexdigest()[:16]
    place = feed.place("discarded", discard.identity, f"-{by}.json")
    return feed.lake.create(place, json.dumps(asdict(discard), sort_keys=True).encode())


def discards(feed: Feed, deliveries: Sequence[Delivery]) -> dict[str, tuple[Discard, ...]]:
    """Discards of deliveries that have any, by identity and in the order they were decided."""
    identities = {delivery.identity for delivery in deliveries}
    places = feed.lake.keys(f"discarded/{feed.case.name}/{feed.name}")
    own = [place for place in places if "/".join(place.split("/")[3:]).rpartition("-")[0] in identities]
    found: dict[str, tuple[Discard, ...]] = {}
    for discard in sorted((_read(feed, place) for place in own), key=lambda discard: (discard.at, discard.rows)):
        found[discard.identity] = (*found.get(discard.identity, ()), discard)
    return found


def numbers(found: Sequence[Discard]) -> Numbers:
    """Numbers of the rows that discards are about, each once and in order."""
    spans = [np.arange(first, last + 1, dtype=np.int64) for discard in found for first, last in discard.rows]
    return np.unique(np.concatenate(spans)) if spans else np.zeros(0, np.int64)


def whole(delivery: Delivery, found: Mapping[str, Sequence[Discard]]) -> bool:
    """Whether every row of a delivery is discarded; one without rows is, once somebody said so."""
    own = found.get(delivery.identity)
    return own is not None and len(numbers(own)) >= delivery.rows


def spans(rows: Numbers) -> Spans:
    """First and last number of each run of rows.

    >>> spans(np.array([1, 2, 3, 7, 9, 10]))
    ((1, 3), (7, 7), (9, 10))
    """
    runs = np.split(rows, np.flatnonzero(np.diff(rows) > 1) + 1) if len(rows) else []
    return tuple((int(run[0]), int(run[-1])) for run in runs)


def _read(feed: Feed, place: str) -> Discard:
    found = json.loads(feed.lake.get(place))
    return Discard(**{**found, "rows": tuple((first, last) for first, last in found["rows"])})

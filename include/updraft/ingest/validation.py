"""Validate: staged bytes against the contract; the verdict and its report are kept whatever the outcome."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from updraft import contract
from updraft.errors import ValidationBroken
from updraft.ingest.feed import NAMES_SHOWN, Delivery, Feed
from updraft.ingest.healing import healings
from updraft.ingest.redaction import place, reopened
from updraft.ingest.surroundings import asks_around, surroundings
from updraft.ingest.verdict import Verdict, current, keep
from updraft.sources.decode import Decoded
from updraft.spool import sha256


@dataclass(frozen=True)
class Validated:
    """What the contract said about deliveries.

    :param verdicts: One per delivery.
    """

    source: str
    verdicts: tuple[Verdict, ...]

    @property
    def blocked(self) -> tuple[Verdict, ...]:
        """The deliveries of which nothing may be published."""
        return tuple(verdict for verdict in self.verdicts if verdict.outcome == "blocked")

    def summary(self) -> dict[str, Any]:
        """Counts and a few names, small enough to hand from task to task."""
        counts = Counter(verdict.outcome for verdict in self.verdicts)
        telling = [*self.blocked, *(verdict for verdict in self.verdicts if verdict.outcome == "quarantined")]
        return {
            "source": self.source,
            "deliveries": len(self.verdicts),
            **{outcome: counts[outcome] for outcome in ("accepted", "quarantined", "blocked")},
            "rows": sum(verdict.summary["rows"] for verdict in self.verdicts),
            "bad": sum(verdict.summary["bad"] for verdict in self.verdicts),
            "warned": sum(sum(verdict.summary["warned"].values()) for verdict in self.verdicts),
            "partitions_blocked": [verdict.partition for verdict in self.blocked[:NAMES_SHOWN]],
            "reports": [verdict.report for verdict in (telling or list(self.verdicts))[:NAMES_SHOWN]],
        }


def judge(feed: Feed, deliveries: Sequence[Delivery], decoded: Mapping[str, Decoded]) -> Validated:
    """Judge deliveries in one run; those judged by today's terms before keep their verdict.

    :param decoded: Rows that are at hand already, by identity.
    """
    verdicts = _standing(feed, deliveries)
    new = [delivery for delivery in deliveries if delivery.identity not in verdicts]
    fresh = {d.identity: rows_of(feed, d, decoded) for d in new}
    checked = contract.check(feed.name, feed.source.stored(), fresh, surroundings(feed, new)) if new else {}
    kept = {d.identity: keep(feed, d, checked[d.identity], fresh[d.identity]) for d in new}
    return Validated(feed.name, tuple({**verdicts, **kept}[d.identity] for d in deliveries))


def _standing(feed: Feed, deliveries: Sequence[Delivery]) -> dict[str, Verdict]:
    """Verdicts that stand, by identity.

    What was blocked by rules that look around is judged again, for what it lacked may be there by now; not so once a
    later delivery took its place.
    """
    found = {delivery.identity: current(feed, delivery) for delivery in deliveries}
    standing = {identity: verdict for identity, verdict in found.items() if verdict is not None}
    blocked = {identity for identity, verdict in standing.items() if verdict.outcome == "blocked"}
    again = blocked - {healing.identity for healing in healings(deliveries, blocked)} if asks_around(feed) else set()
    return {identity: verdict for identity, verdict in standing.items() if identity not in again}


def rows_of(feed: Feed, delivery: Delivery, decoded: Mapping[str, Decoded]) -> Decoded:
    """Rows of a delivery: those at hand, or the staged bytes read again.

    :raises ValidationBroken: If the staged bytes are gone or are not those that landed.
    """
    if delivery.identity in decoded:
        return decoded[delivery.identity]
    try:
        staged = feed.lake.fetch(place(feed, delivery.identity, delivery.redacted))
    except FileNotFoundError as gone:
        raise _unsound(f"The staged bytes of {feed.name} for {delivery.identity} are gone.") from gone
    if sha256(staged) != (delivery.redacted or delivery.delivery):
        raise _unsound(f"The staged bytes of {feed.name} for {delivery.identity} are not those that landed.")
    return reopened(feed, delivery, staged)


def _unsound(what: str) -> ValidationBroken:
    return ValidationBroken(what, next_step="restore the object in the lake; it is never written twice.")

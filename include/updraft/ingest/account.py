"""Accounts: what became of every row delivered. What does not add up was interrupted; another run finishes it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from updraft.asof import raw_table
from updraft.ingest.discard import Numbers, discards, numbers, whole
from updraft.ingest.feed import Delivery, Feed
from updraft.ingest.healing import healings, superseded
from updraft.ingest.verdict import Rejected, Verdict, kept, rejected
from updraft.lake import Lake
from updraft.spec.model import UseCase

Outcome = Literal["landed", "published", "quarantined", "blocked", "superseded", "discarded"]


@dataclass(frozen=True)
class Standing:
    """Where a delivery stands by its verdict and by what people decided, whatever is published of it.

    :param outcome: `landed` before it is judged; `quarantined` when only some rows are held; `superseded` when a later
        delivery took its place; `discarded` when a person discarded all of it.
    :param rejects: Rows the contract rejected.
    :param held: Numbers of the rows that wait for a person.
    :param discarded: Numbers of the rows a person discarded.
    """

    delivery: Delivery
    outcome: Outcome
    verdict: Verdict | None
    rejects: Rejected
    held: Numbers
    discarded: Numbers

    @property
    def waits(self) -> bool:
        """Whether a person has something to decide, or a run something to do."""
        return bool(len(self.held)) or self.outcome in ("blocked", "landed")


@dataclass(frozen=True)
class Account:
    """What became of the rows of a delivery, each counted where it lies.

    :param published: Rows of the raw table that stem from it.
    :param held: Rows that wait: rejected ones, and all rows of a delivery that is blocked or not judged yet.
    :param superseded: Rows of a blocked delivery whose place a later one took.
    """

    delivery: Delivery
    outcome: Outcome
    published: int
    held: int
    discarded: int
    superseded: int

    @property
    def delivered(self) -> int:
        """Rows delivered."""
        return self.delivery.rows

    @property
    def adds_up(self) -> bool:
        """Whether every row delivered is in one place, and in one only."""
        return self.delivered == self.published + self.held + self.discarded + self.superseded


def account(case: UseCase, source_name: str, partitions: Sequence[str], lake: Lake) -> list[Account]:
    """Say what became of every row delivered for partitions, by delivery and in the order they landed."""
    feed = Feed(case, source_name, lake)
    found = standings(feed, feed.deliveries(feed.keys(partitions)))
    published = published_rows(feed, sorted({standing.delivery.partition for standing in found}))
    return [_account(standing, published[standing.delivery.identity]) for standing in found]


def standings(feed: Feed, deliveries: Sequence[Delivery]) -> list[Standing]:
    """Say where deliveries stand.

    :param deliveries: All of their partitions, in the order they landed.
    """
    verdicts = {delivery.identity: kept(feed, delivery) for delivery in deliveries}
    decided = discards(feed, deliveries)
    blocked = {identity for identity, verdict in verdicts.items() if verdict and verdict.outcome == "blocked"}
    dropped = {delivery.identity for delivery in deliveries if whole(delivery, decided)}
    replaced = superseded(deliveries, blocked | dropped)
    replaced |= {healing.identity for healing in healings(deliveries, blocked | dropped)} - dropped
    found = []
    for delivery in deliveries:
        identity = delivery.identity
        verdict, gone = verdicts[identity], numbers(decided.get(identity, ()))
        rejects = rejected(feed, verdict) if verdict else []
        outcome = _outcome(identity, verdict, dropped, replaced)
        out = outcome in ("landed", "blocked")
        waiting = np.arange(1, delivery.rows + 1) if out else np.array([number for number, *_ in rejects], np.int64)
        held = waiting[:0] if outcome in ("superseded", "discarded") else np.setdiff1d(waiting, gone)
        found.append(Standing(delivery, outcome, verdict, rejects, held, gone))
    return found


def _outcome(identity: str, verdict: Verdict | None, dropped: set[str], replaced: set[str]) -> Outcome:
    if identity in dropped:
        return "discarded"
    if identity in replaced:
        return "superseded"
    if verdict is None:
        return "landed"
    return "published" if verdict.outcome == "accepted" else verdict.outcome


def _account(standing: Standing, published: int) -> Account:
    discarded = len(standing.discarded)
    return Account(
        delivery=standing.delivery,
        outcome=standing.outcome,
        published=published,
        held=len(standing.held),
        discarded=discarded,
        superseded=standing.delivery.rows - discarded if standing.outcome == "superseded" else 0,
    )


def published_rows(feed: Feed, keys: Sequence[str]) -> Counter[str]:
    """Rows of the raw table by the identity of their delivery."""
    found: Counter[str] = Counter()
    for rows in feed.lake.scan(raw_table(feed.case, feed.name), keys, columns=["partition", "delivery"]):
        counted = rows.group_by(["partition", "delivery"]).aggregate([([], "count_all")]).to_pylist()
        found.update({f"{row['partition']}/{row['delivery']}": row["count_all"] for row in counted})
    return found

"""Replay and discard: what was held is published by today's contract, or never.

Both may run again, twice at once, and after a kill between any two steps: the verdicts, the changes and the discards
are recorded before the rows move, and what is left to do is read from the lake.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from updraft.errors import DeliveryRefused, Permanent, ValidationBroken
from updraft.ingest.account import account, standings
from updraft.ingest.change import Change, changes
from updraft.ingest.change import keep as keep_change
from updraft.ingest.discard import Discard, keep, spans
from updraft.ingest.feed import Feed
from updraft.ingest.publication import prepare, write
from updraft.ingest.validation import judge, rows_of
from updraft.ingest.verdict import current
from updraft.lake import Lake
from updraft.spec.model import UseCase

_TOGETHER = 32  # partitions whose rows are in memory at a time


@dataclass(frozen=True)
class Replayed:
    """What a replay did.

    :param partitions: Those that had something to do.
    :param released: Rows published that were not before.
    :param withdrawn: Rows that were published and break today's contract.
    :param held: Rows that are still held.
    :param still: Why, by partition; a delivery that today's spec cannot read leaves its partition as it was.
    """

    source: str
    partitions: tuple[str, ...]
    released: int
    withdrawn: int
    held: int
    still: dict[str, str]


@dataclass(frozen=True)
class Discarded:
    """What a discard did.

    :param partitions: Those in which rows were held.
    :param rows: Rows discarded now.
    """

    source: str
    partitions: tuple[str, ...]
    rows: int


def replay(case: UseCase, source_name: str, partitions: Sequence[str], lake: Lake, *, who: str) -> Replayed:
    """Judge held deliveries of partitions by today's contract, from their staged bytes, and publish what passes.

    A partition that cannot go on does not hold up the others. What becomes of its rows is what ingest would make of
    them today; rows of its other deliveries that break today's contract are withdrawn as well.

    :param who: Who asked for it, for the record.
    """
    feed = Feed(case, source_name, lake)
    keys = _unfinished(feed, feed.keys(partitions))
    moved: list[Change] = []
    still: dict[str, str] = {}
    work = _with_later(feed, keys)
    for start in range(0, len(work), _TOGETHER):
        some = work[start : start + _TOGETHER]
        try:
            moved += _replay(feed, some, who, still)
        except (DeliveryRefused, ValidationBroken):
            moved += _one_by_one(feed, some, who, still)
    counts = {which: sum(change.count(which) for change in moved) for which in ("released", "withdrawn")}
    held = sum(one.held for one in account(case, source_name, keys, lake))
    return Replayed(source_name, tuple(keys), counts["released"], counts["withdrawn"], held, still)


def discard(
    case: UseCase, source_name: str, partitions: Sequence[str], lake: Lake, *, who: str, why: str, delivery: str = ""
) -> Discarded:
    """Decide that the rows now held of partitions are never published; a blocked delivery no longer blocks.

    :param why: The reason, for the record.
    :param delivery: How the digest of the only delivery meant begins; all of them when empty.
    :raises Permanent: If no reason is given.
    """
    if not why.strip():
        raise Permanent("A discard needs a reason.", next_step="say why these rows are never to be published.")
    feed, now = Feed(case, source_name, lake), datetime.now(UTC).isoformat()
    found = standings(feed, feed.deliveries(feed.keys(partitions)))
    meant = [s for s in found if s.delivery.delivery.startswith(delivery) and s.waits and s.outcome != "landed"]
    rows = 0
    for standing in meant:
        own = standing.delivery
        new = keep(feed, Discard(own.partition, own.delivery, spans(standing.held), why.strip()[:500], who, now))
        rows += len(standing.held) if new else 0
    _settle(feed, sorted({standing.delivery.partition for standing in found}), who)
    return Discarded(source_name, tuple(sorted({s.delivery.partition for s in meant})), rows)


def _with_later(feed: Feed, keys: list[str]) -> list[str]:
    """The partitions, and of snapshots all later ones: what those changed depends on what was there before.

    They are judged by today's contract before the first is published, for it is held against them.
    """
    if not feed.source.snapshot or not keys:
        return keys
    later = [key for key in feed.partitions() if key >= keys[0]]
    for key in later:
        with suppress(DeliveryRefused, ValidationBroken):  # the replay of the partition meets it again, and tells
            judge(feed, feed.deliveries([key]), {})
    return later


def _unfinished(feed: Feed, keys: Sequence[str]) -> list[str]:
    """Partitions with rows that wait, those judged by other terms, and those at which a run was interrupted."""
    found, marked = account(feed.case, feed.name, keys, feed.lake), feed.published()
    # A part of a delivery may seem superseded by another part that landed later: it has its chance once more.
    old = {one.delivery.partition for one in found if one.outcome == "superseded" and not current(feed, one.delivery)}
    waiting = {one.delivery.partition for one in found if one.held or one.outcome == "blocked" or not one.adds_up}
    return sorted(old | waiting | {one.delivery.partition for one in found} - marked)


def _replay(feed: Feed, keys: Sequence[str], who: str, still: dict[str, str]) -> list[Change]:
    """Replay partitions in one commit; note in `still` why something is held."""
    deliveries = feed.landed(keys)
    decoded = {delivery.identity: rows_of(feed, delivery, {}) for delivery in deliveries}
    judge(feed, deliveries, decoded)
    ready = prepare(feed, deliveries, decoded)
    moved = changes(feed, deliveries, ready.good, who)
    for change in moved:
        keep_change(feed, change)
    write(feed, ready, decoded)
    still.update({v.partition: v.why for v in ready.verdicts.values() if v.outcome != "accepted"})
    return moved


def _one_by_one(feed: Feed, keys: Sequence[str], who: str, still: dict[str, str]) -> list[Change]:
    """Replay partitions one of which cannot go on."""
    moved: list[Change] = []
    for key in keys:
        try:
            moved += _replay(feed, [key], who, still)
        except (DeliveryRefused, ValidationBroken) as problem:
            still[key] = problem.what
    return moved


def _settle(feed: Feed, keys: Sequence[str], who: str) -> None:
    """Mark partitions as published in which nothing is left to wait for; finish those that do not add up."""
    found, marked = account(feed.case, feed.name, keys, feed.lake), feed.published()
    torn = {one.delivery.partition for one in found if not one.adds_up}
    open_ = torn | {one.delivery.partition for one in found if one.outcome in ("blocked", "landed")}
    if torn:
        _replay(feed, sorted(torn), who, {})
    feed.announce(sorted(set(keys) - open_ - marked))

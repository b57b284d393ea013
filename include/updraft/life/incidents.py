"""Incidents on record: opened once, and resolved when what they are about is over or their champion is replaced."""

from dataclasses import asdict
from itertools import groupby
from typing import Any

from updraft.ingest.account import standings
from updraft.ingest.feed import Feed, named
from updraft.lake import Lake
from updraft.ledger import Kind, Ledger, Record, State
from updraft.life.measured import history, measurements, monitor_table
from updraft.monitor.fault import standing
from updraft.monitor.incident import Incident, lasts
from updraft.monitor.watch import feed_fault
from updraft.partition import Partition, calendar
from updraft.spec.model import UseCase


def broken_feed(case: UseCase, at: Partition, lake: Lake) -> str | None:
    """Say what is wrong with the data around a partition; `None` when nothing is known to be.

    That is a feature which looks like a fault of its feed, or a delivery of the last `monitor.window` partitions that
    is blocked and waits for a person. Single rows in quarantine are what a contract tolerates.
    """
    return "; ".join(why for why in (_fault(case, at, lake), _blocked(case, at, lake)) if why) or None


def lingering(case: UseCase, at: Partition, lake: Lake) -> str | None:
    """Say which fault of the feed can still bend what came true, though it may be mended; `None` when none can."""
    keys = [key for key in lake.partitions(monitor_table(case)) if key <= at.key]
    dates = calendar(case)
    mature = dates.last_mature(at.as_of)
    lag = len(dates.keys((mature or dates.first).key, at.key)) - 1
    seen = measurements(case, keys, lake, least=lag + case.monitor.of)
    return standing([[*own] for _, own in groupby(seen, key=lambda m: m.partition)], case, lag=lag)


def unclosed(case: UseCase, lake: Lake) -> list[Record]:
    """Incidents on record that no later record closes, those of former champions included."""
    return _unclosed(Ledger(lake, case.name).state())


def over(case: UseCase, at: Partition, lake: Lake) -> list[tuple[Record, str]]:
    """Incidents on record that are over at the moment of `at`, each with the reason.

    A partition that was not measured, or lies before the one an incident opened at, says nothing about it.
    """
    state = Ledger(lake, case.name).state()
    found = [(record, _ended(case, at, lake, state, record)) for record in _unclosed(state)]
    return [(record, why) for record, why in found if why]


def open_incident(case: UseCase, found: Incident, partition: str, lake: Lake, *, who: str) -> bool:
    """Record an incident unless it is open, or was resolved later than `partition`; say whether it was recorded now."""

    def expect(state: State) -> None:
        own = [r for r in state.records if r.facts.get("identity") == found.identity]
        later = [r for r in own if r.kind == "resolved" and str(r.partition) >= partition]
        if later or any(r in own for r in _unclosed(state)):
            raise _Needless

    facts = {**asdict(found), "identity": found.identity}
    about: dict[str, Any] = {"why": found.reason, "partition": partition, "model": found.champion or None}
    return _once(case, lake, "incident", who=who, facts=facts, expect=expect, **about)


def resolve_incidents(case: UseCase, at: Partition, lake: Lake, *, who: str) -> list[str]:
    """Record which incidents are over at the moment of `at`; return their identities."""
    found = over(case, at, lake)
    return [
        str(record.facts["identity"])
        for record, why in found
        if close(case, lake, record, why=why, who=who, partition=at.key)
    ]


def close(case: UseCase, lake: Lake, record: Record, *, why: str, who: str, partition: str) -> bool:
    """Record that one incident is over; say whether it was recorded now."""

    def expect(state: State) -> None:
        if all(r.sequence != record.sequence for r in _unclosed(state)):
            raise _Needless

    told = {name: record.facts[name] for name in ("kind", "identity")}
    facts = {**told, "closes": [record.sequence]}
    about: dict[str, Any] = {"why": why, "partition": partition, "model": record.model}
    return _once(case, lake, "resolved", who=who, facts=facts, expect=expect, **about)


class _Needless(Exception):  # noqa: N818 - no error: it leaves an append that is not needed
    """It stands on record already."""


def _once(case: UseCase, lake: Lake, kind: Kind, **record: Any) -> bool:
    try:
        Ledger(lake, case.name).append(kind, **record)
    except _Needless:
        return False
    return True


def _unclosed(state: State) -> list[Record]:
    closed = {sequence for record in state.records for sequence in record.facts.get("closes", ())}
    return [r for r in state.records if r.kind == "incident" and "identity" in r.facts and r.sequence not in closed]


def _ended(case: UseCase, at: Partition, lake: Lake, state: State, record: Record) -> str:
    """Why an incident is over; empty while it is not, or nobody can tell."""
    if record.model != state.champion:
        return f"{(record.model or 'no model')[:12]} is champion no more"
    kind = str(record.facts["kind"])
    # Without a champion nothing is measured, but deliveries can be blocked.
    told = record.model is None or at.key in lake.partitions(monitor_table(case))
    if kind == "fallback" or not told or at.key < str(record.partition):
        return ""
    if kind == "broken_feed":
        return "" if broken_feed(case, at, lake) else f"nothing is wrong with the data any more at {at.key}"
    if lasts(history(case, at, lake), kind, case, champion=str(record.model)):
        return ""
    return f"fewer than {case.monitor.alarms} of the last {case.monitor.of} partitions up to {at.key} are alarming"


def _fault(case: UseCase, at: Partition, lake: Lake) -> str | None:
    measured = at.key in lake.partitions(monitor_table(case))
    return feed_fault(measurements(case, [at.key], lake)) if measured else None


def _blocked(case: UseCase, at: Partition, lake: Lake) -> str:
    """Deliveries around a partition of which nothing is published because they broke their contract."""
    dates = calendar(case)
    first = max(dates.first_key, dates.step(at, 1 - case.monitor.window).key)
    inputs = dates.keys(first, dates.last_visible(at.as_of).key)
    found: list[str] = []
    for source in case.sources:
        feed = Feed(case, source, lake)
        landed = sorted(set(inputs) & set(feed.partitions()))
        blocked = [s for s in standings(feed, feed.deliveries(landed)) if s.outcome == "blocked"]
        found += [f"{source} of {s.delivery.partition}" for s in blocked]
    return f"blocked deliveries wait for a person: {named(found)}" if found else ""

"""What there is to tell about a use case's data: deliveries that are blocked or missing, partitions that are late."""

from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime, timedelta

from updraft import features, ingest, score
from updraft.alert.alert import Alert, Finding, facts
from updraft.ingest.account import Standing, standings
from updraft.ingest.computed import empty
from updraft.ingest.feed import Feed, named
from updraft.lake import Lake
from updraft.partition import calendar
from updraft.spec.alerts import AlertKind
from updraft.spec.durations import spoken
from updraft.spec.model import UseCase

NEWEST = 14  # partitions looked at in any case
_HELD: dict[str, AlertKind] = {"blocked": "delivery_blocked", "quarantined": "rows_held"}


def deliveries(case: UseCase, lake: Lake, open_alerts: Sequence[Alert], also: Collection[str]) -> Iterator[Finding]:
    """Deliveries that wait for a person: among the newest, those of partitions `also`, and those told of before."""
    told = {alert.partition for alert in open_alerts if alert.kind in _HELD.values() and alert.partition}
    for name in case.sources:
        feed = Feed(case, name, lake)
        there = feed.partitions()
        wanted = sorted({*there[-NEWEST:], *(told & set(there)), *(set(also) & set(there))})
        yield from (found for one in standings(feed, feed.deliveries(wanted)) if (found := _waiting(name, one)))


def _waiting(source: str, one: Standing) -> Finding | None:
    kind = _HELD.get(one.outcome)
    if kind is None or one.verdict is None or (kind == "rows_held" and not len(one.held)):
        return None
    own = one.delivery
    told = {"source": source, "rows": own.rows, "held": len(one.held), "delivery": own.delivery[:12]}
    what = f"{source} of {own.partition}: {one.verdict.why}"
    return Finding(kind, f"{source}/{own.identity}", what, own.partition, facts(told))


def still_missing(case: UseCase, lake: Lake, alert: Alert) -> bool:
    """Whether what a task or a deadline complained of has not come: a source's partition, not published yet."""
    source, _, key = alert.about.partition("/")
    return source in case.sources and key not in ingest.delivered(case, source, lake)


def late(case: UseCase, lake: Lake, now: datetime, open_alerts: Sequence[Alert] = ()) -> Iterator[Finding]:
    """Say that features, or scores, are not there though their deadline has passed: once for all their partitions.

    A history that has an end is run by hand and is never late. Nor is a stage that has not begun.
    """
    if case.partitions.last:
        return
    built, without_rows = set(lake.partitions(features.table(case))), empty(case, lake)
    scored = set(lake.partitions(score.table(case)))
    stages: tuple[tuple[AlertKind, timedelta | None, set[str], str], ...] = (
        ("features_late", case.deadlines.features, built | without_rows, "features"),
        ("scores_late", scores_within(case), scored | (without_rows if scored else set()), "scores"),
    )
    for kind, limit, there, what in stages:
        told = {alert.partition for alert in open_alerts if alert.kind == kind and alert.partition}
        missing = _due(case, there, limit, now, told) if limit else []
        if limit and missing:
            due = (calendar(case).at(missing[0]).as_of + limit).astimezone(UTC)
            first = "they were" if len(missing) == 1 else "the first of them were"
            said = f"The {what} of {named(missing)} are not there, {spoken(now - due)} after {first} due."
            told_of = {"due": f"{due:%Y-%m-%d %H:%M} UTC", "needed to": case.problem.decision}
            yield Finding(kind, what, said, missing[0], facts(told_of))


def scores_within(case: UseCase) -> timedelta | None:
    """How long after a partition's moment its scores are of use."""
    return case.deadlines.scores or case.problem.lead_time or None


def _due(case: UseCase, there: set[str], limit: timedelta, now: datetime, told: set[str]) -> list[str]:
    """Keys that lack: the newest due ones since the stage began, and those told of before."""
    dates = calendar(case)
    begun = [key for key in there if key]
    moment = now - limit + dates.lead_time
    if not begun or moment < dates.first.start:
        return []
    newest = dates.containing(moment)
    first = max(dates.at(min(begun)), dates.step(newest, 1 - NEWEST))
    due = [at.key for at in dates.between(first, newest)]
    return sorted({*due, *told} - there)

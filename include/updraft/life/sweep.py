"""Holes in the sequence of partitions: what should be there, is not, and could be made now."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from updraft import features, ingest, score
from updraft.ingest.computed import empty
from updraft.ingest.feed import named
from updraft.lake import Lake
from updraft.ledger import Ledger
from updraft.partition import Partition, calendar
from updraft.sources import Connections, from_environment
from updraft.spec.model import UseCase

STAGES = ("ingest", "features", "score")


@dataclass(frozen=True)
class Hole:
    """A partition that a stage has not worked on, though it has worked on an earlier one.

    :param stage: The stage that would fill it.
    :param waits_for: What is missing for that; empty when it can be filled now.
    """

    stage: str
    partition: str
    waits_for: str


def holes(
    case: UseCase, lake: Lake, inbox: Path, through: Partition, *, connections: Connections = from_environment
) -> list[Hole]:
    """Partitions missing between the first that is there and `through`, by stage and in order.

    What was never begun has no holes: a new use case fills its history when somebody asks for it.
    """
    raw = {source: ingest.delivered(case, source, lake) for source in case.sources}
    with_rows = set(lake.partitions(features.table(case)))
    built = with_rows | empty(case, lake)
    scored = lake.partitions(score.table(case))
    champion = Ledger(lake, case.name).state().champion if scored else None

    def awaited(source: str, gaps: Sequence[str]) -> list[str]:
        return ingest.awaited(case, source, gaps, lake, inbox, connections=connections)

    found = _raw(case, raw, through, awaited)
    for key in _gaps(case, built, through):
        absent = [source for source in case.sources if key not in raw[source]]
        found.append(Hole("features", key, f"raw rows of {', '.join(absent)}" if absent else ""))
    for key in (key for key in _gaps(case, scored, through) if key in with_rows or key not in built):
        found.append(Hole("score", key, "its features" if key not in with_rows else "" if champion else "a champion"))
    return found


def newest_due(case: UseCase, lake: Lake, moment: datetime) -> Partition:
    """Newest partition that should be there at `moment`: its own moment has passed.

    A history that has an end is run by hand: it is due as far as anybody has asked for it.
    """
    dates = calendar(case)
    due = dates.containing(max(moment + dates.lead_time, dates.first.start))
    if case.partitions.last is None:
        return due
    tables = (features.table(case), score.table(case))
    there = {key for table in tables for key in lake.partitions(table)}
    there |= {key for source in case.sources for key in ingest.delivered(case, source, lake)}
    return min(due, dates.at(max(there, default=dates.first_key)))


def told(found: Sequence[Hole]) -> list[str]:
    """Say per stage and reason which partitions are missing."""
    groups: dict[tuple[str, str], list[str]] = {}
    for hole in found:
        groups.setdefault((hole.stage, hole.waits_for), []).append(hole.partition)
    return [
        f"{stage} lacks {named(keys)}: {f'waits for {why}' if why else 'can be filled now'}"
        for (stage, why), keys in groups.items()
    ]


def _raw(
    case: UseCase,
    raw: Mapping[str, Collection[str]],
    through: Partition,
    awaited: Callable[[str, Sequence[str]], Sequence[str]],
) -> list[Hole]:
    """Holes in the raw rows: one per partition, which can be filled when any source that lacks it has delivered."""
    lacking: dict[str, list[str]] = {}
    ready: set[str] = set()
    for source, there in raw.items():
        gaps = _gaps(case, there, through)
        ready |= set(gaps) - set(awaited(source, gaps))
        for key in gaps:
            lacking.setdefault(key, []).append(source)
    waits_for = {key: "" if key in ready else f"a delivery of {', '.join(by)}" for key, by in lacking.items()}
    return [Hole("ingest", key, waits_for[key]) for key in sorted(lacking)]


def _gaps(case: UseCase, there: Collection[str], through: Partition) -> list[str]:
    """Keys missing from the first one there on."""
    if not there or min(there) > through.key:
        return []
    return [key for key in calendar(case).keys(min(there), through.key) if key not in there]

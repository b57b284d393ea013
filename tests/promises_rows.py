"""Promises about rows and decisions: none is lost, none counts twice, and no reader sees half of a version."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from updraft import features, ingest, score
from updraft.asof import raw_table
from updraft.errors import LedgerBroken
from updraft.ingest import redaction
from updraft.ingest.account import standings
from updraft.ingest.feed import Feed
from updraft.ingest.verdict import kept
from updraft.lake import Lake
from updraft.ledger import Ledger, Record
from updraft.life.monitor import monitor_table
from updraft.monitor.watch import HEADLINES
from updraft.partition import calendar
from updraft.rows import digest
from updraft.spec.model import UseCase

Violations = list[str]
# Rows of a partition's scores that belong together: those that count, then those of each model.
COUNTING = ("champion", "canary", "fallback")
SIDES = (COUNTING, ("champion", "relieved"), ("challenger", "canary"), ("previous",), ("fallback",))
Identity = tuple[Any, ...]


@dataclass(frozen=True)
class Acknowledged:
    """What somebody was told is safe: every row readers could see, and every decision.

    :param rows: Identities of the rows by table.
    :param decisions: Records of the ledger, in order.
    """

    rows: Mapping[str, Counter[Identity]] = field(default_factory=dict)
    decisions: tuple[Record, ...] = ()


# ---- I1 ----------------------------------------------------------------------------------------------------------


def no_acknowledged_row_is_lost(lake: Lake, case: UseCase, before: Acknowledged) -> Violations:
    """I1: what was acknowledged is there, and of published deliveries every row is published or in quarantine."""
    lost = []
    for table, rows in before.rows.items():
        if gone := rows - identities(lake, table, tables(case)[table]):
            lost.append(f"{sum(gone.values())} acknowledged rows of {table} are gone, such as {next(iter(gone))}")
    records = tuple(readable(lake, case))
    if records[: len(before.decisions)] != before.decisions:
        lost.append(f"the ledger no longer begins with the {len(before.decisions)} acknowledged decisions")
    for name in case.sources:
        lost += _unaccounted(lake, case, name)
    return lost


def _unaccounted(lake: Lake, case: UseCase, name: str) -> Iterator[str]:
    feed = Feed(case, name, lake)
    deliveries = feed.deliveries(sorted(feed.published()))
    where = ("partition", "delivery")
    good = identities(lake, raw_table(case, name), where)
    bad = identities(lake, ingest.quarantine_table(case, name), where)
    outcomes = {one.delivery.identity: one.outcome for one in standings(feed, deliveries)}
    for delivery in deliveries:
        place, verdict = (delivery.partition, delivery.delivery), kept(feed, delivery)
        staged = redaction.place(feed, delivery.identity, delivery.redacted)
        if staged not in lake.keys(feed.place("staging", delivery.partition)):
            yield f"the bytes of {name} for {delivery.identity[:30]} are gone"
        if verdict is None:
            yield f"{name} for {delivery.identity[:30]} was published without a verdict"
        elif case.sources[name].snapshot:
            continue  # what did not change is not stored again
        elif outcomes[delivery.identity] in ("published", "quarantined") and good[place] + bad[place] != delivery.rows:
            yield (
                f"of {delivery.rows} rows of {name} for {delivery.identity[:30]}, "
                f"{good[place]} are published and {bad[place]} in quarantine"
            )


# ---- I2 ----------------------------------------------------------------------------------------------------------


def no_row_counts_twice(lake: Lake, case: UseCase) -> Violations:
    """I2: no identity stands twice in a table, and nothing was decided twice."""
    twice = []
    for table, by in tables(case).items():
        doubled = [identity for identity, count in identities(lake, table, by).items() if count > 1]
        if doubled:
            twice.append(f"{len(doubled)} rows of {table} stand there more than once, such as {doubled[0]}")
    promoted = Counter((r.model, r.partition) for r in readable(lake, case) if r.kind == "promoted")
    decided = Counter((r.partition, r.why) for r in readable(lake, case) if r.kind == "decided")
    twice += [f"model {str(m)[:12]} was promoted {n} times at {key}" for (m, key), n in promoted.items() if n > 1]
    return twice + [f"the same was decided {n} times at {key}" for (key, _), n in decided.items() if n > 1]


# ---- I3 ----------------------------------------------------------------------------------------------------------


def no_reader_sees_half_a_version(lake: Lake, case: UseCase) -> Violations:
    """I3: whatever can be read of a partition was written by one definition, at one moment, and is all of it."""
    dates = calendar(case)
    half = [
        *_of_one_moment(lake, features.table(case), lambda key: dates.at(key).as_of),
        *_of_one_moment(lake, features.table(case, "label"), lambda key: dates.matures_at(dates.at(key))),
    ]
    by = ["partition", *case.entity]
    for key in lake.partitions(score.table(case)):
        scored, asked = lake.read(score.table(case), [key]), lake.read(features.table(case), [key], by)
        assert scored is not None
        half += _of_one_origin(key, scored)
        sides = [scored.filter(pc.is_in(scored["role"], pa.array(roles))) for roles in SIDES]
        for rows in (sides[0], *(side for side in sides[1:] if len(side) > 0 and side != sides[0])):
            if asked is not None and digest(rows.select(by)) != digest(asked.select(by)):
                half.append(f"the {len(rows)} scores of {key} are not those of its {len(asked)} feature rows")
    for key in lake.partitions(monitor_table(case)):
        rows = lake.read(monitor_table(case), [key], ["metric"])
        found = set() if rows is None else set(rows["metric"].to_pylist())
        wanted = [HEADLINES["performance"], HEADLINES["prediction_drift"], HEADLINES["feature_drift"], ("scored",)]
        absent = ["/".join(metrics) for metrics in wanted if not found & set(metrics)]
        if rows is not None and absent:
            half.append(f"the measurements of {key} lack {', '.join(sorted(absent))}")
    return half


def _of_one_origin(key: str, scored: pa.Table) -> Iterator[str]:
    for column in ("fingerprint", "data"):
        if len(set(scored[column].to_pylist())) > 1:
            yield f"the scores of {key} are of more than one {column}"
    for roles in SIDES[1:]:  # the rows that count are of two models where a canary flies
        own = scored.filter(pc.is_in(scored["role"], pa.array(roles)))
        if len(set(own["model"].to_pylist())) > 1:
            yield f"the scores of {key} are of more than one model"


def _of_one_moment(lake: Lake, table: str, moment: Callable[[str], Any]) -> Iterator[str]:
    rows = lake.read(table, None, ["partition", "as_of", "fingerprint"])
    seen: dict[str, set[tuple[Any, str]]] = {}
    for row in [] if rows is None else rows.to_pylist():
        seen.setdefault(row["partition"], set()).add((row["as_of"], row["fingerprint"]))
    for key, marks in seen.items():
        if len(marks) > 1:
            yield f"{table} of {key} is of {len(marks)} moments or definitions"
        elif (at := next(iter(marks))[0]) != moment(key):
            yield f"{table} of {key} was computed as of {at}, not {moment(key)}"


# ---- reading -----------------------------------------------------------------------------------------------------


def tables(case: UseCase) -> dict[str, tuple[str, ...]]:
    """What identifies a row, for every table of a use case."""
    raw = {raw_table(case, name): ("partition", "delivery", "row") for name in case.sources}
    bad = {ingest.quarantine_table(case, name): ("partition", "delivery", "row") for name in case.sources}
    entity = ("partition", *case.entity)
    own = {features.table(case): entity, features.table(case, "label"): entity, score.table(case): (*entity, "role")}
    return {**raw, **bad, **own, monitor_table(case): ("partition", "metric", "subject")}


def identities(lake: Lake, table: str, by: Sequence[str]) -> Counter[Identity]:
    rows = lake.read(table, None, list(by))
    return Counter() if rows is None else Counter(zip(*(rows[name].to_pylist() for name in by), strict=True))


def readable(lake: Lake, case: UseCase) -> list[Record]:
    """The decisions as far as they can be read; a broken ledger is for I4 to name."""
    try:
        return Ledger(lake, case.name).records()
    except LedgerBroken:
        return []

"""The six promises of Updraft, as functions over a lake, its ledger and a use case; each returns what breaks it.

Call `broken` in every test that injects a fault, with what was acknowledged before it and the attempts made since.
An empty list means that all six are kept. `tests/unit/test_promises.py` shows that each of them can be broken.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from updraft import features, ingest, score
from updraft.asof import raw_table
from updraft.errors import LedgerBroken, ModelRejected, Permanent, Transient
from updraft.ingest import late, redaction
from updraft.ingest.account import standings
from updraft.ingest.feed import Feed
from updraft.ingest.verdict import kept
from updraft.lake import Lake
from updraft.ledger import Ledger, Record
from updraft.life.monitor import monitor_table
from updraft.life.train import evidence_key, profile_key
from updraft.model import store
from updraft.monitor.watch import HEADLINES
from updraft.partition import calendar
from updraft.records import add_up
from updraft.registry import Registry
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


@dataclass(frozen=True)
class Attempt:
    """One run of anything, and how it ended.

    :param error: What it raised; `None` after success.
    :param running: Whether it was still running at its deadline.
    """

    what: str
    deadline: float
    seconds: float
    error: BaseException | None
    running: bool


def acknowledged(lake: Lake, case: UseCase) -> Acknowledged:
    """Take down what must still be there after a fault."""
    return Acknowledged(
        {table: _identities(lake, table, by) for table, by in _tables(case).items()},
        tuple(Ledger(lake, case.name).records()),
    )


def attempt(what: str, deadline: float, call: Callable[[], object]) -> Attempt:
    """Run something and say how it ended, at the latest after `deadline` seconds."""
    errors: list[BaseException] = []

    def run() -> None:
        try:
            call()
        except BaseException as error:  # noqa: BLE001 - a promise looks at it
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    begun = time.monotonic()
    thread.start()
    thread.join(deadline)
    return Attempt(what, deadline, time.monotonic() - begun, errors[0] if errors else None, thread.is_alive())


def broken(
    lake: Lake,
    case: UseCase,
    *,
    before: Acknowledged | None = None,
    attempts: Sequence[Attempt] = (),
    registry: Registry | None = None,
) -> Violations:
    """Everything that breaks a promise, each with the promise's number; empty when all six are kept."""
    found = {
        "I1": no_acknowledged_row_is_lost(lake, case, before or Acknowledged()),
        "I2": no_row_counts_twice(lake, case),
        "I3": no_reader_sees_half_a_version(lake, case),
        "I4": there_is_one_champion(lake, case, registry),
        "I5": every_prediction_names_its_origins(lake, case),
        "I6": every_run_ends(attempts),
    }
    return [f"{promise}: {violation}" for promise, violations in found.items() for violation in violations]


# ---- I1 ----------------------------------------------------------------------------------------------------------


def no_acknowledged_row_is_lost(lake: Lake, case: UseCase, before: Acknowledged) -> Violations:
    """I1: what was acknowledged is there, and of published deliveries every row is published or in quarantine."""
    lost = []
    for table, rows in before.rows.items():
        if gone := rows - _identities(lake, table, _tables(case)[table]):
            lost.append(f"{sum(gone.values())} acknowledged rows of {table} are gone, such as {next(iter(gone))}")
    records = tuple(_records(lake, case))
    if records[: len(before.decisions)] != before.decisions:
        lost.append(f"the ledger no longer begins with the {len(before.decisions)} acknowledged decisions")
    for name in case.sources:
        lost += _unaccounted(lake, case, name)
    return lost


def _unaccounted(lake: Lake, case: UseCase, name: str) -> Iterator[str]:
    feed = Feed(case, name, lake)
    deliveries = feed.deliveries(sorted(feed.published()))
    where = ("partition", "delivery")
    good = _identities(lake, raw_table(case, name), where)
    bad = _identities(lake, ingest.quarantine_table(case, name), where)
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
    for table, by in _tables(case).items():
        doubled = [identity for identity, count in _identities(lake, table, by).items() if count > 1]
        if doubled:
            twice.append(f"{len(doubled)} rows of {table} stand there more than once, such as {doubled[0]}")
    promoted = Counter((r.model, r.partition) for r in _records(lake, case) if r.kind == "promoted")
    decided = Counter((r.partition, r.why) for r in _records(lake, case) if r.kind == "decided")
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


# ---- I4 ----------------------------------------------------------------------------------------------------------


def there_is_one_champion(lake: Lake, case: UseCase, registry: Registry | None = None) -> Violations:
    """I4: the ledger holds, its champion loads, rose on gates it passed, and is what MLflow shows."""
    try:
        Ledger(lake, case.name).verify()
    except LedgerBroken as found:
        return [found.what]
    records = _records(lake, case)
    champion = add_up(records, "").champion
    wrong = [
        why for record in records if record.kind in ("promoted", "rolled_back") for why in _unearned(records, record)
    ]
    if champion is not None:
        wrong += _unusable(lake, case, champion)
    if registry is not None and (alias := registry.champion_alias(case.name)) != champion:
        wrong.append(f"MLflow shows {str(alias)[:12]} as champion, the ledger says {str(champion)[:12]}")
    return wrong


def _unearned(records: Sequence[Record], record: Record) -> Iterator[str]:
    before = add_up(records[: record.sequence - 1], "")
    who = f"model {str(record.model)[:12]}, {record.kind} by record {record.sequence},"
    if record.kind == "rolled_back":
        if record.model not in before.previous:
            yield f"{who} was never champion"
        return
    gated = next((r for r in records[: record.sequence - 1] if r.sequence == record.facts.get("gated")), None)
    if gated is None or gated.kind != "gated" or gated.model != record.model:
        yield f"{who} was not examined"
    elif gated.facts["outcome"] != "PASS":
        yield f"{who} did not pass its gates: {gated.facts['outcome']}"
    elif gated.facts["champion"] != before.champion:
        yield f"{who} was not compared with the champion it replaced"


def _unusable(lake: Lake, case: UseCase, champion: str) -> Iterator[str]:
    try:
        store.load(lake, case.name, champion)
    except ModelRejected as refused:
        yield f"the champion cannot be loaded: {refused.what}"
    for what, key in {"examination": evidence_key(case, champion), "profile": profile_key(case, champion)}.items():
        try:
            lake.get(key)
        except FileNotFoundError:
            yield f"the champion's {what} is gone"


# ---- I5 ----------------------------------------------------------------------------------------------------------


def every_prediction_names_its_origins(lake: Lake, case: UseCase) -> Violations:
    """I5: every score or refusal names a model that is there, the definition it knows, and the rows it saw."""
    nameless = []
    for key in lake.partitions(score.table(case)):
        rows = lake.read(score.table(case), [key])
        assert rows is not None
        nameless += [f"{why} in the scores of {key}" for why in _unnamed(lake, case, key, rows.to_pylist())]
    return nameless


def _unnamed(lake: Lake, case: UseCase, key: str, rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for column in ("model", "fingerprint", "data", "role"):
        if empty := sum(not row[column] for row in rows):
            yield f"{empty} of {len(rows)} rows name no {column}"
    if neither := sum((row["score"] is None) == (row["refused"] is None) for row in rows):
        yield f"{neither} of {len(rows)} rows are neither scored nor refused, or both"
    for model in {row["model"] for row in rows if row["model"]}:
        try:
            known = store.load(lake, case.name, model).manifest.fingerprint
        except ModelRejected as refused:
            yield f"the model named cannot be loaded ({refused.what})"
        else:
            if strange := {row["fingerprint"] for row in rows if row["model"] == model} - {known}:
                yield f"model {model[:12]} knows another definition than {str(next(iter(strange)))[:12]}"
    seen = lake.read(features.table(case), [key])
    same = seen is not None and set(seen["fingerprint"].to_pylist()) == {row["fingerprint"] for row in rows}
    rebuilt = {done for one in late.recorded(case, lake) if one.rebuilt for done in one.features}
    # A partition is the same for ever under one definition, so its digest must still be the one that was named; unless
    # rows came late, and the spec has it computed anew and never scored again.
    if seen is not None and same and key not in rebuilt and {row["data"] for row in rows} != {digest(seen)}:
        yield "the rows named are not those of the features"


# ---- I6 ----------------------------------------------------------------------------------------------------------


def every_run_ends(attempts: Sequence[Attempt]) -> Violations:
    """I6: every run ended by its deadline, in success or in a typed failure that says what to do."""
    endless = []
    for made in attempts:
        if made.running:
            endless.append(f"{made.what} was still running after {made.deadline:g} seconds")
        elif isinstance(made.error, Permanent | Transient):
            if not made.error.what.strip() or not made.error.next_step.strip():
                endless.append(f"{made.what} failed without saying why and what to do: {made.error!r}")
        elif made.error is not None:
            endless.append(f"{made.what} ended in an error that nobody sorted: {made.error!r:.200}")
    return endless


# ---- reading -----------------------------------------------------------------------------------------------------


def _tables(case: UseCase) -> dict[str, tuple[str, ...]]:
    """What identifies a row, for every table of a use case."""
    raw = {raw_table(case, name): ("partition", "delivery", "row") for name in case.sources}
    bad = {ingest.quarantine_table(case, name): ("partition", "delivery", "row") for name in case.sources}
    entity = ("partition", *case.entity)
    own = {features.table(case): entity, features.table(case, "label"): entity, score.table(case): (*entity, "role")}
    return {**raw, **bad, **own, monitor_table(case): ("partition", "metric", "subject")}


def _identities(lake: Lake, table: str, by: Sequence[str]) -> Counter[Identity]:
    rows = lake.read(table, None, list(by))
    return Counter() if rows is None else Counter(zip(*(rows[name].to_pylist() for name in by), strict=True))


def _records(lake: Lake, case: UseCase) -> list[Record]:
    """The decisions as far as they can be read; a broken ledger is for I4 to name."""
    try:
        return Ledger(lake, case.name).records()
    except LedgerBroken:
        return []

"""Features and labels in SQL, run as of a moment, fingerprinted, and written a partition at a time.

`features.sql` runs as of the partition's moment, `label.sql` as of the moment its labels are complete. Training and
scoring read the same rows of `features/<use case>`; nothing joins history a second time.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from updraft import ingest
from updraft.asof import History, Which, Without, built_table
from updraft.contract import features as promised
from updraft.errors import DeliveryMissing, SpecInvalid
from updraft.features.shape import schema, shaped
from updraft.ingest.computed import mark_empty
from updraft.lake import Lake
from updraft.lake.tables import same_types
from updraft.partition import Partition, calendar
from updraft.query import shared_of, sources_of
from updraft.rows import Rows
from updraft.settings import Settings
from updraft.spec.model import UseCase
from updraft.spec.shared import as_case
from updraft.spec.sources import Source

__all__ = [
    "Built",
    "build",
    "build_labels",
    "build_shared",
    "computed",
    "fingerprint",
    "schema",
    "stale",
    "table",
]

TOGETHER = 64  # partitions that share one loading of history, which each loading begins with one look back more
VALUE_BYTES = 8  # about what a value of a row takes in DuckDB, between small codes and the texts of keys
HELD_BYTES = 64 << 20  # rows that wait to be written


@dataclass(frozen=True)
class Built:
    """What a build wrote.

    :param partitions: Number of partitions.
    :param rows: Rows over all of them.
    :param fingerprint: Digest of the definition they were computed by.
    :param version: Version of the table after the write.
    :param warned: How often rules that only warn were broken.
    :param reports: Keys of the reports that have something to tell, or of the first; at most ten.
    """

    partitions: int
    rows: int
    fingerprint: str
    version: int
    warned: int = 0
    reports: tuple[str, ...] = ()


def table(case: UseCase, which: Which = "features") -> str:
    """Name of the table of features, of labels, or of a shared feature set."""
    return built_table(case, which)


def fingerprint(case: UseCase, which: Which = "features") -> str:
    """Digest of everything that decides the rows: the SQL, the columns, and how the sources it reads become views.

    Only what changes rows counts: a comment, another layout, a new owner, gate or source make no partition stale,
    and leave the champion able to score.

    :raises FeaturesInvalid: If the SQL is not one SELECT over the sources.
    """
    sql, where = case.sql(which), f"{which}.sql of {case.name}"
    read = sources_of(case, sql, where)
    ticks = {"every", "timezone", "first"}
    decided = {
        "sql": _words(sql),
        "views": {name: _view(case.sources[name]) for name in read},
        "columns": [(field.name, str(field.type)) for field in sorted(schema(case, which), key=lambda f: f.name)],
        "entity": case.entity,
        "partitions": case.partitions.model_dump(mode="json", include=ticks),
        "lead_time": case.problem.model_dump(mode="json")["lead_time"],
        "maturity": case.label.model_dump(mode="json")["maturity"] if which == "label" else None,
    }
    if which == "label" and case.label.classes:
        decided["classes"] = sorted(case.label.classes)
    if used := shared_of(case, sql, where):
        decided["shared"] = {name: fingerprint(as_case(name, case.folder.parent), name) for name in used}
    return hashlib.sha256(json.dumps(decided, sort_keys=True).encode()).hexdigest()


def build(case: UseCase, keys: Sequence[str], lake: Lake) -> Built:
    """Compute the features of partitions as of their moments and write them, oldest first, many in one commit.

    :raises FeaturesBlocked: If partitions break the contract; all others are written before it is complained about.
    :raises FeaturesInvalid: If the SQL fails or its rows do not fit the spec; then neither that partition nor any
        after it is written.
    """
    return _build(case, "features", keys, lake)


def build_labels(case: UseCase, keys: Sequence[str], lake: Lake) -> Built:
    """Compute the labels of mature partitions and write them, oldest first, many in one commit."""
    return _build(case, "label", keys, lake)


def build_shared(name: str, keys: Sequence[str], root: Path, lake: Lake) -> Built:
    """Compute a shared feature set for partitions, whether it was computed for them before or not."""
    return _build(as_case(name, root), name, keys, lake)


def computed(
    case: UseCase,
    day: Partition,
    lake: Lake,
    which: Which = "features",
    *,
    latest: datetime | None = None,
    without: Without | None = None,
) -> Rows:
    """Compute the features of a partition, or a shared feature set, as of its moment; nothing is written.

    :param latest: Deliveries up to this moment are loaded, though the query sees none of what came after its own.
    :param without: Raw rows to leave out, by the name of their source.
    """
    with History(lake, case, which, first=day, latest=latest or day.as_of, without=without) as history:
        return shaped(case, which, history.ask(day, day.as_of), day, day.as_of, fingerprint(case, which))


def stale(case: UseCase, keys: Sequence[str], lake: Lake, which: Which = "features") -> list[str]:
    """Partitions among `keys` that are missing, or were computed by another definition than today's."""
    wanted = fingerprint(case, which)
    stored = lake.read(table(case, which), keys, columns=["partition", "fingerprint"])
    if stored is None:
        return list(keys)
    fresh = set(pc.unique(stored.filter(pc.equal(stored["fingerprint"], wanted))["partition"]).to_pylist())
    return [key for key in keys if key not in fresh]


def _words(sql: str) -> list[str]:
    """What the query says, without comments and layout."""
    import duckdb

    said = sql.encode()  # DuckDB counts bytes
    tokens = duckdb.tokenize(sql)
    ends = [*(start for start, _ in tokens[1:]), len(said)]
    spans = zip(tokens, ends, strict=True)
    return [said[start:end].decode().strip() for (start, kind), end in spans if kind != duckdb.token_type.comment]


def _view(source: Source) -> dict[str, Any]:
    how = source.model_dump(mode="json", include={"key", "event_time", "known_at", "lookback"})
    # Left out where nothing can go, so that a source which deletes nothing keeps its fingerprint.
    gone = {"gone": source.deleted.column if source.deleted else "snapshot"} if source.deletes else {}
    return how | gone | {"columns": {name: column.type for name, column in source.stored().columns.items()}}


def _build(case: UseCase, which: Which, keys: Sequence[str], lake: Lake) -> Built:
    days = sorted(calendar(case).at(key) for key in keys)
    for name in shared_of(case, case.sql(which), f"{which}.sql of {case.name}"):
        _share(case, name, keys, lake)
    version, stored = lake.shape(table(case, which)) or (0, None)
    same_types(table(case, which), stored, schema(case, which))
    asked = [(day, calendar(case).matures_at(day) if which == "label" else day.as_of) for day in days]
    count, mark, held = 0, fingerprint(case, which), promised.Held()
    for some in _loadings(case, which, asked, lake):
        for part, facts in _parts(case, which, some, lake, mark):
            found = promised.hold(case, which, table(case, which), part, facts, lake)
            if found.passed:
                version = lake.replace(table(case, which), pa.concat_tables(found.passed.values()), list(found.passed))
            count += sum(map(len, found.passed.values()))
            if which == "features":
                mark_empty(case, [key for key, rows in found.passed.items() if not len(rows)], lake)
            held += found
            del part, found  # else their rows would wait for the next ones to be there
            pa.default_memory_pool().release_unused()
    held.complain(table(case, which))
    return Built(len(asked), count, mark, version, held.warned, held.reports)


def _share(reader: UseCase, name: str, keys: Sequence[str], lake: Lake) -> None:
    """Compute a shared feature set for the partitions that lack it, once for all who read it.

    :raises SpecInvalid: If it would be computed at other moments than its reader's partitions, or later ones.
    :raises DeliveryMissing: If what it is computed from was not delivered yet.
    """
    case = as_case(name, reader.folder.parent)
    ours, theirs = calendar(reader), calendar(case)
    if (ours.every, ours.zone) != (theirs.every, theirs.zone) or theirs.lead_time < ours.lead_time:
        raise SpecInvalid(
            f"{reader.name} cannot read {name}: {case.name} has other partitions, or a shorter lead time.",
            next_step="read it from a use case with the same calendar that predicts at the same moment or later.",
        )
    wanted = stale(case, keys, lake, name)
    for source in sources_of(case, case.sql(name), f"{name}.sql") if wanted else ():
        if absent := sorted(set(wanted) - ingest.delivered(case, source, lake)):
            raise DeliveryMissing(
                f"{name} waits for {source} of {case.name}, {', '.join(absent[:3])}.",
                next_step=f"run the ingestion of {case.name} for these partitions.",
            )
    if wanted:
        build_shared(name, wanted, reader.folder.parent, lake)


def _loadings(
    case: UseCase, which: Which, asked: Sequence[tuple[Partition, datetime]], lake: Lake
) -> Iterator[Sequence[tuple[Partition, datetime]]]:
    """Partitions that share a loading of history: `TOGETHER` at most, fewer where it would fill half of DuckDB's part.

    The other half is for what the partitions that are computed see of it, and for their queries.
    """
    part, begin = Settings.from_env().engine(), 0
    while begin < len(asked):
        some = asked[begin : begin + TOGETHER]
        while part and len(some) > 1 and _history(case, which, some, lake).values() * VALUE_BYTES > part / 2:
            some = some[: len(some) // 2]
        yield some
        begin += len(some)


def _history(case: UseCase, which: Which, asked: Sequence[tuple[Partition, datetime]], lake: Lake) -> History:
    return History(lake, case, which, first=asked[0][0], latest=max(moment for _, moment in asked))


def _parts(
    case: UseCase, which: Which, asked: Sequence[tuple[Partition, datetime]], lake: Lake, mark: str
) -> Iterator[tuple[dict[str, Rows], Mapping[str, int]]]:
    """Rows by partition, as many of them as may be held in memory at a time; history is loaded once for all.

    With them, by partition, the facts that the contract's `coverage` asks for.
    """
    part, held = Settings.from_env().engine(), dict[str, Rows]()
    most = HELD_BYTES if part is None else min(HELD_BYTES, part // 16)  # the lake's writer takes several times as much
    with _history(case, which, asked, lake) as history:
        for (day, moment), rows in zip(asked, history.ask_each(asked), strict=True):
            held[day.key] = shaped(case, which, rows, day, moment, mark)
            if sum(rows.nbytes for rows in held.values()) > most:
                yield held, history.facts
                held = {}
    if held:
        yield held, history.facts

"""Features and labels in SQL, run as of a moment, fingerprinted, and written a partition at a time.

`features.sql` runs as of the partition's moment, `label.sql` as of the moment its labels are complete. Training and
scoring read the same rows of `features/<use case>`; nothing joins history a second time.
"""

import hashlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from updraft import ingest
from updraft.asof import ARROW, STAMP, History, Which, Without, built_table, demand_same_types
from updraft.contract import features as promised
from updraft.errors import DeliveryMissing, FeaturesInvalid, SpecInvalid, did_you_mean
from updraft.ingest.computed import mark_empty
from updraft.lake import Lake
from updraft.partition import Partition, calendar
from updraft.query import shared_of, sources_of
from updraft.rows import Rows
from updraft.spec.model import UseCase
from updraft.spec.shared import as_case
from updraft.spec.sources import Source

TOGETHER = 32  # partitions that share one loading of history: it grows with them, and so does the work per moment
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
        return _shaped(case, which, history.ask(day, day.as_of), day, day.as_of, fingerprint(case, which))


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
    demand_same_types(table(case, which), lake.read(table(case, which), []), schema(case, which))
    asked = [(day, calendar(case).matures_at(day) if which == "label" else day.as_of) for day in days]
    count, version = 0, lake.version(table(case, which)) or 0
    mark, held = fingerprint(case, which), promised.Held()
    for begin in range(0, len(asked), TOGETHER):
        for part, facts in _parts(case, which, asked[begin : begin + TOGETHER], lake, mark):
            held += promised.hold(case, which, table(case, which), part, facts, lake)
            if held.passed:
                rows = pa.concat_tables(held.passed.values())
                version, count = lake.replace(table(case, which), rows, list(held.passed)), count + len(rows)
            if which == "features":
                mark_empty(case, [key for key, rows in held.passed.items() if not len(rows)], lake)
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


def _parts(
    case: UseCase, which: Which, asked: Sequence[tuple[Partition, datetime]], lake: Lake, mark: str
) -> Iterator[tuple[dict[str, Rows], Mapping[str, int]]]:
    """Rows by partition, as many of them as may be held in memory at a time; history is loaded once for all.

    With them, by partition, the facts that the contract's `coverage` asks for.
    """
    held: dict[str, Rows] = {}
    with History(lake, case, which, first=asked[0][0], latest=max(moment for _, moment in asked)) as history:
        for (day, moment), rows in zip(asked, history.ask_each(asked), strict=True):
            held[day.key] = _shaped(case, which, rows, day, moment, mark)
            if sum(rows.nbytes for rows in held.values()) > HELD_BYTES:
                yield held, history.facts
                held = {}
    if held:
        yield held, history.facts


def _shaped(case: UseCase, which: Which, rows: Rows, day: Partition, moment: datetime, mark: str) -> Rows:
    """Rows in the table's shape, or an error that names what does not fit."""
    wanted = schema(case, which)
    _same_columns(case, which, rows, wanted)
    own = [_typed(case, which, rows[f.name], f) for f in wanted if f.name in rows.column_names]
    stamps = {"as_of": pa.scalar(moment, STAMP), "fingerprint": mark, "partition": day.key}
    added = [pa.repeat(pa.scalar(v) if isinstance(v, str) else v, len(rows)) for v in stamps.values()]
    shaped = pa.table([*own, *added], schema=wanted).sort_by([(c, "ascending") for c in case.entity])
    _one_row_each(case, which, shaped, day)
    return shaped


def _typed(
    case: UseCase, which: Which, column: "pa.ChunkedArray[Any]", wanted: "pa.Field[Any]"
) -> "pa.ChunkedArray[Any]":
    """A column of the query in the type of the table; a number that is none is a missing one."""
    # A moment without a zone would be taken for UTC, hours away from what the query meant.
    if wanted.type == STAMP and getattr(column.type, "tz", None) is None:
        raise _unfit(case, which, wanted, f"{column.type}, which says no time zone")
    try:
        typed = column.cast(wanted.type)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as unfit:
        raise _unfit(case, which, wanted, f"{column.type} ({str(unfit)[:100]})") from unfit
    return pc.if_else(pc.is_nan(typed), None, typed) if wanted.type == pa.float64() else typed


def _unfit(case: UseCase, which: Which, wanted: "pa.Field[Any]", gave: str) -> FeaturesInvalid:
    return FeaturesInvalid(
        f"{which}.sql of {case.name} gave {wanted.name!r} as {gave}; it should be {wanted.type}.",
        next_step="cast it in the query, or change its type in spec.yaml.",
    )


def schema(case: UseCase, which: Which = "features") -> pa.Schema:
    """Columns of the features table (or of the labels table), in order."""
    kinds = {"number": pa.float64(), "category": pa.string()}
    entity = [pa.field(name, _entity_type(case, name)) for name in case.entity]
    stamps = [pa.field("as_of", STAMP), pa.field("fingerprint", pa.string()), pa.field("partition", pa.string())]
    if which == "label":
        truth = pa.string() if case.problem.kind == "multiclass" else pa.float64()
        return pa.schema([*entity, pa.field(case.label.column, truth), *stamps])
    own = [pa.field(name, kinds[feature.type]) for name, feature in case.features.items()]
    happened = [pa.field("event_time", STAMP)] if which == "features" else []
    return pa.schema([*entity, *happened, *own, *stamps])


def _entity_type(case: UseCase, name: str) -> pa.DataType:
    """An entity column has the type the first source that has it declares, text otherwise."""
    declared = [source.stored().columns for source in case.sources.values()]
    found = [columns[name].type for columns in declared if name in columns]
    return ARROW[found[0]] if found else pa.string()


def _same_columns(case: UseCase, which: Which, rows: Rows, wanted: pa.Schema) -> None:
    expected = [f.name for f in wanted if f.name not in ("as_of", "fingerprint", "partition")]
    for name in rows.column_names:
        if name not in expected:
            raise FeaturesInvalid(
                f"{which}.sql of {case.name} returns {name!r}, which spec.yaml does not declare; "
                f"{did_you_mean(name, expected)}",
                next_step="declare the column, or leave it out of the query.",
            )
    if missing := [name for name in expected if name not in rows.column_names]:
        raise FeaturesInvalid(
            f"{which}.sql of {case.name} does not return {', '.join(missing[:10])}.",
            next_step="select these columns, or take them out of spec.yaml.",
        )


def _one_row_each(case: UseCase, which: Which, rows: Rows, day: Partition) -> None:
    per_entity = rows.group_by(list(case.entity)).aggregate([([], "count_all")])
    if len(per_entity) < len(rows):
        raise FeaturesInvalid(
            f"{which}.sql of {case.name} gave {len(rows)} rows for {len(per_entity)} entities in {day}.",
            next_step=f"return one row per {', '.join(case.entity)}; a join multiplied them.",
        )
    required = [*case.entity, *(n for n, f in case.features.items() if which != "label" and not f.nullable)]
    for name in required:
        if rows[name].null_count:
            raise FeaturesInvalid(
                f"{name!r} is missing in {rows[name].null_count} of {len(rows)} rows of {day}.",
                next_step="fill it in the query, or declare it nullable.",
            )
    if which == "features" and len(rows):
        _inside(case, rows, day)
    if which == "label":
        _of_its_kind(case, rows, day)


def _inside(case: UseCase, rows: Rows, day: Partition) -> None:
    span = pc.min_max(rows["event_time"]).as_py()
    if rows["event_time"].null_count or not day.start <= span["min"] <= span["max"] < day.end:
        raise FeaturesInvalid(
            f"features.sql of {case.name} gave events from {span['min']} to {span['max']} for {day}, "
            f"which lasts from {day.start} to {day.end}.",
            next_step="filter on this_partition.starts_at and this_partition.ends_at.",
        )


def _of_its_kind(case: UseCase, rows: Rows, day: Partition) -> None:
    values = set(pc.unique(rows[case.label.column]).to_pylist()) - {None}
    if case.problem.kind == "regression":
        strange, wanted = {v for v in values if math.isinf(v)}, "a finite number"
    elif case.problem.kind == "multiclass":
        strange, wanted = values - set(case.label.classes), "a class of `label.classes`"
    else:
        strange, wanted = values - {0.0, 1.0}, "0, 1"
    if strange:
        shown = [str(value)[:60] if isinstance(value, str) else value for value in sorted(strange)[:5]]
        near = f"; {did_you_mean(shown[0], case.label.classes)}" if case.label.classes else ""
        raise FeaturesInvalid(
            f"label.sql of {case.name} gave {shown} for {day}{near}.",
            next_step=f"return {wanted}, or null when the label is undefined.",
        )

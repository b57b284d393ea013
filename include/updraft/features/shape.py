"""The shape of feature and label rows, which what a query gives must have before it is written."""

import math
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from updraft.asof import STAMP, Which
from updraft.errors import FeaturesInvalid, did_you_mean
from updraft.partition import Partition
from updraft.rows import ARROW, Rows
from updraft.spec.model import UseCase


def shaped(case: UseCase, which: Which, rows: Rows, day: Partition, moment: datetime, mark: str) -> Rows:
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

"""Rows in memory: one shape for every table, a digest that is the identity of what they hold, and the as-of join."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import pyarrow as pa

from updraft.errors import FeaturesInvalid

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Rows: TypeAlias = pa.Table

CELLS = 1 << 20  # of a view that the as-of join reads at a time

ARROW = {  # by the words of a spec
    "string": pa.string(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "timestamp": pa.timestamp("us", "UTC"),
}


def plain(schema: pa.Schema) -> pa.Schema:
    """The schema rows have in memory: plain strings, microseconds in UTC.

    delta-rs hands strings out as views or dictionaries, depending on how they were stored.
    """
    return pa.schema([pa.field(f.name, _plain_type(f.type)) for f in schema])


def _plain_type(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_dictionary(kind):
        return _plain_type(kind.value_type)
    if pa.types.is_string_view(kind) or pa.types.is_large_string(kind):
        return pa.string()
    if pa.types.is_timestamp(kind):
        return pa.timestamp("us", "UTC")
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return pa.list_(_plain_type(kind.value_type))
    return kind


def aligned(rows: Rows | None, schema: pa.Schema) -> Rows:
    """Rows with exactly the columns of `schema`; a column they lack is null, so old rows outlive new columns."""
    if rows is None:
        return schema.empty_table()
    have: dict[str, Any] = {n: rows[n] for n in rows.column_names}
    return pa.table(
        [have[f.name].cast(f.type) if f.name in have else pa.nulls(len(rows), f.type) for f in schema], schema=schema
    )


def digest(rows: Rows) -> str:
    """SHA-256 of the rows, whatever their order, chunks and column order; the identity of a table's content.

    >>> a = pa.table({"x": [1, 2], "y": ["a", "b"]})
    >>> digest(a) == digest(a.select(["y", "x"]).take([1, 0]))
    True
    """
    columns = sorted(rows.column_names)
    table = rows.select(columns).cast(plain(rows.select(columns).schema))
    sortable = [(c, "ascending") for c in columns if not pa.types.is_nested(table.schema.field(c).type)]
    ordered = table.sort_by(sortable).combine_chunks() if len(table) and sortable else table.combine_chunks()
    seen = hashlib.sha256(str([(c, str(ordered.schema.field(c).type)) for c in columns]).encode())
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, ordered.schema.remove_metadata()) as out:
        for batch in ordered.to_batches():
            out.write_batch(batch)
    seen.update(sink.getvalue())
    return seen.hexdigest()


def as_of(rows: Rows, views: Sequence[Path], *, by: Sequence[str], at: str) -> Rows:
    """Rows with the columns of each view's newest row for them: same key `by`, and `at` not after theirs.

    Every row stays, in its place; where a view has nothing for it, the view's columns are null. Of rows of a view with
    the same key and moment the last counts. Only keys are joined: the other columns are fetched by row number, some
    at a time, so memory is that of the result and a few columns.

    :param views: Parquet files, each with the columns `by`, `at`, and columns that nothing else has.
    :raises FeaturesInvalid: If two of them have a column of the same name.
    """
    import duckdb
    import pyarrow.parquet as pq

    key = [*by, at]
    columns = dict(zip(rows.column_names, rows.columns, strict=True))
    with duckdb.connect() as db:
        db.register("asked", _numbered(rows.select(key)))
        for view in views:
            with pq.ParquetFile(view) as file:
                own = [name for name in file.schema_arrow.names if name not in key]
                if twice := sorted(set(own) & set(columns)):
                    raise FeaturesInvalid(
                        f"{view.name} has {', '.join(twice[:10])}, which the rows have already.",
                        next_step="rename these columns in the view.",
                    )
                found = _newest(db, file.read(columns=key), by, at)
                # Memory that was just used is got again faster than new memory.
                step = max(1, CELLS // max(file.metadata.num_rows, 1))
                for part in (own[begin : begin + step] for begin in range(0, len(own), step)):
                    columns |= dict(zip(part, file.read(columns=part).take(found).columns, strict=True))
    return pa.table(columns)


def _newest(db: "DuckDBPyConnection", keys: Rows, by: Sequence[str], at: str) -> "pa.ChunkedArray[Any]":
    """Per asked row, the row number of its newest key; null where there is none."""
    *names, moment = (quoted(name) for name in (*by, at))
    equal = " AND ".join(f"a.{name} = v.{name}" for name in names)
    db.register("known", _numbered(keys))
    found = db.sql(
        f"SELECT v._place FROM asked a ASOF LEFT JOIN "  # noqa: S608 - quoted names
        f"(SELECT {', '.join(names)}, {moment}, max(_place) AS _place FROM known GROUP BY ALL) v "
        f"ON {equal} AND a.{moment} >= v.{moment} ORDER BY a._place"
    )
    return found.to_arrow_table()["_place"]


def _numbered(rows: Rows) -> Rows:
    import numpy as np

    return rows.append_column("_place", pa.array(np.arange(len(rows), dtype=np.int64)))


def quoted(identifier: str) -> str:
    """An identifier as SQL takes it, whatever it holds."""
    return '"' + identifier.replace('"', '""') + '"'

"""Rows in memory: one shape for every table, and a digest that is the identity of what they hold."""

import hashlib
from typing import TypeAlias

import pyarrow as pa

Rows: TypeAlias = pa.Table


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

"""Arrow batches as the bytes of a delivery: a Parquet file that is the same whenever the rows are."""

from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from updraft.errors import DeliveryRefused
from updraft.spec.sources import Source

_types = pa.types
_GROUP = 1 << 17


def parquet(batches: Iterable[pa.RecordBatch | pa.Table], source: Source, origin: str) -> bytes:
    """Write rows in the order of their key, columns in that of the spec; of other columns only the names.

    :raises DeliveryRefused: If they exceed the caps, which is seen batch by batch, or differ in their types.
    """
    kept, rows, size = [], 0, 0
    for batch in batches:
        part = _plain(batch, source)
        rows, size = rows + part.num_rows, size + part.nbytes
        if rows > source.caps.rows:
            raise _too_large(origin, f"{source.caps.rows} rows", "caps.rows")
        if size > min(source.caps.decoded_bytes, source.caps.bytes):
            raise _too_large(origin, f"{min(source.caps.decoded_bytes, source.caps.bytes)} bytes", "caps.bytes")
        kept.append(part)
    if len({tuple(part.column_names) for part in kept}) > 1:
        raise _differ(origin, "they do not have the same columns")
    try:
        # A batch in which a column has no value may not know its type.
        table = pa.concat_tables(kept, promote_options="default") if kept else _nothing(source)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as differ:
        raise _differ(origin, str(differ)[:200]) from differ
    return _file(_in_order(table, source))


def _file(table: pa.Table) -> bytes:
    """The file; neither compressed nor encoded, so that a library's new version does not change it for nothing."""
    out = pa.BufferOutputStream()
    pq.write_table(
        table, out, row_group_size=_GROUP, compression="none", use_dictionary=False, version="2.6",
        data_page_version="1.0", write_statistics=False, store_schema=False, coerce_timestamps="us",
    )  # fmt: skip
    return out.getvalue().to_pybytes()


def _plain(batch: pa.RecordBatch | pa.Table, source: Source) -> pa.Table:
    """The declared columns in the order declared; an undeclared one is known by its name."""
    there = [name for name in source.columns if name in batch.schema.names]
    strangers = sorted(set(batch.schema.names) - set(there))
    columns = {name: _one_spelling(batch.column(name)) for name in there}
    return pa.table({**columns, **{name: pa.nulls(batch.num_rows) for name in strangers}})


def _one_spelling(column: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    kind = column.type.value_type if _types.is_dictionary(column.type) else column.type
    if _types.is_string(kind) or _types.is_large_string(kind) or _types.is_string_view(kind):
        return column.cast(pa.string())
    if _types.is_timestamp(kind):
        return pc.cast(column, pa.timestamp("us", "UTC" if kind.tz else None))
    return pc.cast(column, pa.float64()) if _types.is_decimal(kind) else column


def _in_order(table: pa.Table, source: Source) -> pa.Table:
    # A database gives rows in any order it likes; equal rows must be equal bytes.
    first = [name for name in source.key if name in table.column_names]
    rest = [name for name in source.columns if name in table.column_names and name not in first]
    by = [name for name in (*first, *rest) if _orders(table.schema.field(name).type)]
    return table.sort_by([(name, "ascending") for name in by]) if by else table


def _orders(kind: pa.DataType) -> bool:
    return not (_types.is_nested(kind) or _types.is_null(kind) or _types.is_dictionary(kind))


def _too_large(origin: str, most: str, cap: str) -> DeliveryRefused:
    return DeliveryRefused(
        f"{origin} has more than {most}, the most the spec allows.",
        next_step=f"ask for less, use shorter partitions, or raise `{cap}`.",
    )


def _nothing(source: Source) -> pa.Table:
    return pa.table({name: pa.nulls(0) for name in source.columns})


def _differ(origin: str, how: str) -> DeliveryRefused:
    return DeliveryRefused(f"The batches of {origin} differ: {how}.", next_step="give every batch the same schema.")

"""Parquet: the footer is weighed before a page is read, and text stays encoded until its true size is known."""

from collections.abc import Callable, Iterator, Sequence
from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from updraft.errors import DeliveryRefused
from updraft.sources.decode import guard, header
from updraft.sources.decode.carried import Carried, Column, written
from updraft.spec.sources import Source
from updraft.spool import CHUNK, Left, size

_BATCH = 1 << 16
_UNREADABLE = (pa.ArrowException, OSError, ValueError, KeyError)
_types = pa.types
_FITTING: dict[str, Callable[[pa.DataType], bool]] = {
    "string": lambda kind: _types.is_string(kind) or _types.is_large_string(kind),
    "integer": lambda kind: _types.is_integer(kind) or _types.is_floating(kind),
    "number": lambda kind: _types.is_integer(kind) or _types.is_floating(kind),
    "boolean": _types.is_boolean,
    "timestamp": lambda kind: _types.is_timestamp(kind) or _types.is_date(kind),
}


def read(file: IO[bytes], source: Source) -> Iterator[Carried]:
    """Carry the declared columns of a Parquet file; no other column is read.

    :raises DeliveryRefused: If the file is damaged, a column has another type than declared, or rows times width
        exceed the caps.
    """
    try:
        yield from _read(file, source)
    except _UNREADABLE as damaged:
        said = "" if source.personal else f": {header.plain(str(damaged), 200)}"  # it may quote a value
        raise DeliveryRefused(f"It is not a sound Parquet file{said}.", next_step="have it written again.") from damaged


def _read(file: IO[bytes], source: Source) -> Iterator[Carried]:
    stored = size(file)
    with _open(file) as parquet:
        names, schema = parquet.schema_arrow.names, parquet.schema_arrow
        header.compare(names, source)
        _types_fit(schema, source)
        _weigh_footer(parquet.metadata, source, stored)
    texts = [name for name, column in source.columns.items() if column.type == "string"]
    first, room = 1, guard.budget(stored, source.caps)
    with _open(file, texts) as parquet:
        for batch in parquet.iter_batches(_BATCH, columns=list(source.columns), use_threads=False):
            batch.validate(full=True)
            room -= _true_size(batch)
            if room < 0:
                raise guard.too_large(stored, source.caps)
            yield _carried(pa.Table.from_batches([batch]), first, names, source)
            first += len(batch)
    if first == 1:
        yield _carried(schema.empty_table(), first, names, source)


def _carried(table: pa.Table, first: int, names: Sequence[str], source: Source) -> Carried:
    columns = {name: _plain(table[name]) for name in source.columns}
    row = np.arange(first, first + len(table))
    return Carried(columns, row, tuple(names), written(columns, row, {}))


def _open(file: IO[bytes], encoded: list[str] | None = None) -> pq.ParquetFile:
    """The file, whose `encoded` columns will be read as dictionaries."""
    return pq.ParquetFile(
        pa.PythonFile(Left(file), "r"),
        read_dictionary=encoded,
        thrift_string_size_limit=1 << 24,
        thrift_container_size_limit=1 << 20,
        pre_buffer=False,
        buffer_size=CHUNK,
    )


def _types_fit(schema: pa.Schema, source: Source) -> None:
    """Refuse a column whose type is not on the list for the declared one."""
    kinds = {name: _value_type(schema.field(name).type) for name in source.columns}
    unfit = [name for name, column in source.columns.items() if not _fits(kinds[name], column.type)]
    if unfit:
        spoken = "; ".join(f"{n} is {str(kinds[n])[:40]}, declared {source.columns[n].type}" for n in unfit[:10])
        raise DeliveryRefused(
            f"{len(unfit)} columns have another type than declared: {spoken}.",
            next_step="have them written as declared, or change `columns` in spec.yaml.",
        )


def _fits(kind: pa.DataType, declared: str) -> bool:
    # Writers give a column without any value no type at all.
    return _FITTING[declared](kind) or _types.is_null(kind)


def _weigh_footer(footer: pq.FileMetaData, source: Source, stored: int) -> None:
    """Refuse before decoding what cannot stay within the caps: text weighs at least its index."""
    groups = [footer.row_group(i) for i in range(footer.num_row_groups)]
    if footer.num_rows != sum(group.num_rows for group in groups) or any(group.num_rows < 0 for group in groups):
        raise DeliveryRefused("The footer of the file contradicts itself.", next_step="have it written again.")
    if footer.num_rows > source.caps.rows:
        raise guard.too_many_rows(source.caps)
    width = sum(4 if column.type == "string" else 8 for column in source.columns.values())
    # Not the sizes of columns: pyarrow 25 ends the process when it meets a damaged column in a footer.
    claimed = sum(group.total_byte_size for group in groups)
    if max(footer.num_rows * width, claimed) > guard.budget(stored, source.caps):
        raise guard.too_large(stored, source.caps)


def _true_size(batch: pa.RecordBatch) -> int:
    """Bytes of a batch once its dictionaries are written out, computed without doing so."""
    return sum(_column_size(column) for column in batch.columns)


def _column_size(column: Column) -> int:
    if not isinstance(column, pa.DictionaryArray):
        return int(column.nbytes)
    encoded: Column = column  # the stubs know no way from here
    lengths = pc.binary_length(encoded.dictionary).cast(pa.int64())
    return int(encoded.indices.nbytes) + (pc.sum(lengths.take(encoded.indices)).as_py() or 0)


def _plain(column: Column) -> Column:
    """A column in a type that has a single spelling: plain strings, microseconds."""
    kind = _value_type(column.type)
    if _types.is_timestamp(kind):
        return pc.cast(column, pa.timestamp("us", kind.tz), safe=kind.unit == "s" or kind.unit == "ms")
    if _types.is_date(kind):
        return column.cast(pa.timestamp("us"))
    return column.cast(pa.string()) if _fits(kind, "string") else column


def _value_type(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if _types.is_dictionary(kind) else kind

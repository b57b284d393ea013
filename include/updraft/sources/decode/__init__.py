"""From the bytes of a delivery to typed rows: caps first, then names, then types; nothing is guessed.

What makes a delivery unreadable as a whole refuses it; what makes a row unreadable makes it a bad row.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from updraft.errors import DeliveryRefused
from updraft.sources.decode import from_csv, from_jsonl, from_parquet, guard, header, zstd
from updraft.sources.decode.carried import Carried, Column, Fault, Mask
from updraft.sources.decode.cast import typed
from updraft.sources.decode.retyped import retyped
from updraft.spec.sources import Caps, Source

_READERS = {"csv": from_csv.read, "jsonl": from_jsonl.read, "parquet": from_parquet.read}


@dataclass(frozen=True)
class Decoded:
    """Rows of a delivery.

    :param rows: Rows that could be read: the declared columns with their types, and `row`, numbered from 1.
    :param bad: Those that could not, and why, by number.
    :param header: Names of all columns delivered.
    :param extra: Those that the spec does not declare; they are not stored.
    :param original: JSON text of rows as delivered, by number.
    :param retyped: What is to be said of columns of which no value could be read.
    """

    rows: pa.Table
    bad: Mapping[int, str]
    header: tuple[str, ...]
    extra: tuple[str, ...]
    original: Callable[[Sequence[int]], list[str]]
    retyped: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        """Number of rows delivered."""
        return len(self.rows) + len(self.bad)


def decode(data: bytes, source: Source, *, compressed: bool = False) -> Decoded:
    """Read a delivery as its spec declares it.

    :param compressed: Whether `data` is gzip or Zstandard; which of the two, its first bytes say.
    :raises DeliveryRefused: If it exceeds the caps, is no sound file of its format, or lacks a declared column.
    """
    return finished(carry(data, source, compressed=compressed), source)


def carry(data: bytes, source: Source, *, compressed: bool = False) -> Carried:
    """The declared columns of a delivery as they were written, within the caps.

    :raises DeliveryRefused: As `decode`.
    """
    carried = _READERS[source.format](content(data, source, compressed=compressed), source)
    if len(carried.row) + len(carried.broken) > source.caps.rows:
        raise guard.too_many_rows(source.caps)
    guard.cells(carried.columns, source.caps)
    return carried


def finished(carried: Carried, source: Source) -> Decoded:
    """Rows with the declared types, and what is wrong with those that have them not."""
    columns: dict[str, Column] = {}
    faults = {name: list(found) for name, found in carried.faults.items()}
    for name, declared in source.columns.items():
        columns[name], found = typed(carried.columns[name], declared)
        faults[name] = [*faults.get(name, ()), *(fault for fault in found if fault.where.any())]
    bad = np.zeros(len(carried.row), np.bool_)
    for fault in (fault for found in faults.values() for fault in found):
        bad |= fault.where
    guard.bad_rows(int(bad.sum()) + len(carried.broken), source.caps)
    rows = pa.table({**columns, "row": pa.array(carried.row)})
    reasons = {**carried.broken, **_reasons(carried, faults, bad)}
    return Decoded(
        rows=rows.filter(pa.array(~bad)) if bad.any() else rows,
        bad={number: reasons[number] for number in sorted(reasons)},
        header=carried.header,
        extra=tuple(header.undeclared(carried.header, source)),
        original=carried.original,
        retyped=retyped(carried, source.columns, faults) if bad.any() else (),
    )


def content(data: bytes, source: Source, *, compressed: bool) -> bytes:
    """The bytes of a delivery, decompressed within the caps.

    :raises DeliveryRefused: If they exceed the caps or are damaged.
    """
    if source.format != "parquet":
        return guard.text(_inflated(data, source.caps) if compressed else data, source.caps)
    if compressed:
        raise DeliveryRefused(
            "Parquet inside gzip or Zstandard is not accepted.", next_step="send the Parquet file itself."
        )
    return data


def _inflated(data: bytes, caps: Caps) -> bytes:
    return zstd.inflated(data, caps) if data.startswith(zstd.MAGIC) else guard.inflated(data, caps)


def _reasons(carried: Carried, faults: Mapping[str, Sequence[Fault]], bad: Mask) -> dict[int, str]:
    """Everything that is wrong with each bad row, by number."""
    said: dict[int, list[str]] = defaultdict(list)
    for name, found in faults.items():
        for fault in found:
            places = np.flatnonzero(fault.where)
            values = carried.columns[name].take(pa.array(places)).cast(pa.string()).to_pylist()
            for place, value in zip(places.tolist(), values, strict=True):
                said[place].append(f"{name}: {'' if value is None else repr(value[:40]) + ' '}{fault.why}")
    return {int(carried.row[place]): "; ".join(said[place]) for place in np.flatnonzero(bad).tolist()}

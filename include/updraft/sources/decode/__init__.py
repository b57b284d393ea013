"""From the bytes of a delivery to typed rows: caps first, then names, then types; nothing is guessed.

What makes a delivery unreadable as a whole refuses it; what makes a row unreadable makes it a bad row. A delivery is
read piece by piece, and however large it is, only some of its rows are in memory at a time.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import IO

import numpy as np
import pyarrow as pa

from updraft.errors import DeliveryRefused
from updraft.sources.decode import from_csv, from_jsonl, from_parquet, guard, header, zstd
from updraft.sources.decode.carried import Carried, Column, Fault, Mask
from updraft.sources.decode.cast import typed
from updraft.sources.decode.lines import lines
from updraft.sources.decode.retyped import Retyped, retyped
from updraft.spec.sources import Source
from updraft.spool import Pile

Numbers = Sequence[int]
Pieces = Callable[[], Iterator[Carried]]  # a delivery from its beginning, piece by piece and at least one
Lines = Callable[[Numbers], dict[int, int]]
_TEXTS = {"csv": from_csv.read, "jsonl": from_jsonl.read}


@dataclass(frozen=True)
class Decoded:
    """Rows of a delivery.

    :param pieces: Rows that could be read, some at a time and as often as wanted: the declared columns with their
        types, and `row`, numbered from 1.
    :param readable: Their number.
    :param bad: Those that could not, and why, by number.
    :param header: Names of all columns delivered.
    :param extra: Those that the spec does not declare; they are not stored.
    :param original: JSON text of rows as delivered, by number.
    :param lines: Lines on which rows stand, by number; empty for formats without lines.
    :param retyped: What is to be said of columns of which no value could be read.
    """

    pieces: Iterable[pa.Table]
    readable: int
    bad: Mapping[int, str]
    header: tuple[str, ...]
    extra: tuple[str, ...]
    original: Callable[[Numbers], list[str]]
    lines: Lines
    retyped: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        """Number of rows delivered."""
        return self.readable + len(self.bad)

    @property
    def rows(self) -> pa.Table:
        """All readable rows at once; only for what does not grow with a delivery."""
        return pa.concat_tables(list(self.pieces))


def decode(data: bytes | IO[bytes], source: Source, *, compressed: bool = False) -> Decoded:
    """Read a delivery as its spec declares it.

    :param data: Its bytes; a file must stay open as long as its rows are asked about.
    :param compressed: Whether they are gzip or Zstandard; which of the two, the first bytes say.
    :raises DeliveryRefused: If it exceeds the caps, is no sound file of its format, or lacks a declared column.
    """
    pieces, lines = carry(BytesIO(data) if isinstance(data, bytes) else data, source, compressed=compressed)
    return finished(pieces, source, lines)


def carry(file: IO[bytes], source: Source, *, compressed: bool = False) -> tuple[Pieces, Lines]:
    """What gives the declared columns of a delivery as they were written, and what finds its rows in an editor.

    :raises DeliveryRefused: As `decode`, at once or while the pieces are read.
    """
    if source.format == "parquet":
        if compressed:
            raise DeliveryRefused(
                "Parquet inside gzip or Zstandard is not accepted.", next_step="send the Parquet file itself."
            )
        return lambda: _within(from_parquet.read(file, source), source), no_lines
    text, begin = content(file, source, compressed=compressed)
    read = _TEXTS[source.format]
    return lambda: _within(read(text, begin, source), source), lambda rows: lines(text, source, rows)


def no_lines(rows: Numbers) -> dict[int, int]:
    """Lines of rows that stand on none."""
    return {}


def finished(pieces: Pieces, source: Source, lines: Lines = no_lines) -> Decoded:
    """Rows with the declared types, and what is wrong with those that have them not."""
    pile, reasons, names = Pile(), dict[int, str](), tuple[str, ...]()
    wrong: dict[str, Retyped | None] = {}
    kept: list[Carried] = []
    for carried in pieces():
        rows, said, wrong = _typed(carried, source, wrong)
        pile.put(rows)
        reasons |= said
        guard.bad_rows(len(reasons), source.caps)
        names = carried.header
        kept = [*kept, carried] if pile.in_memory else []
    return Decoded(
        pieces=pile.done(),
        readable=pile.rows,
        bad={number: reasons[number] for number in sorted(reasons)},
        header=names,
        extra=tuple(header.undeclared(names, source)),
        original=_Originals((lambda: iter(kept)) if kept else pieces),
        lines=lines,
        retyped=tuple(str(one) for one in wrong.values() if one is not None),
    )


def content(file: IO[bytes], source: Source, *, compressed: bool) -> tuple[IO[bytes], int]:
    """The text of a delivery, decompressed and checked within the caps, and where in it its rows begin.

    :raises DeliveryRefused: If it exceeds the caps or is damaged.
    """
    if compressed:
        file.seek(0)
        zipped = zstd.inflated if file.read(len(zstd.MAGIC)) == zstd.MAGIC else guard.inflated
        file = zipped(file, source.caps)
    return file, guard.text(file, source.caps)


@dataclass(frozen=True)
class _Originals:
    """JSON text of rows as delivered, by number."""

    pieces: Pieces

    def __call__(self, numbers: Numbers) -> list[str]:
        left, found = sorted(numbers), dict[int, str]()
        for carried in self.pieces() if left else ():
            last = max([*carried.row[-1:].tolist(), *carried.broken], default=0)
            own = [number for number in left if number <= last]
            found |= dict(zip(own, carried.original(own), strict=True))
            left = left[len(own) :]
            if not left:
                break
        return [found[number] for number in numbers]


def _within(pieces: Iterator[Carried], source: Source) -> Iterator[Carried]:
    """The pieces, as long as they keep the caps."""
    count = 0
    for carried in pieces:
        count += len(carried.row) + len(carried.broken)
        if count > source.caps.rows:
            raise guard.too_many_rows(source.caps)
        guard.cells(carried.columns, source.caps)
        yield carried


def _typed(
    carried: Carried, source: Source, wrong: Mapping[str, Retyped | None]
) -> tuple[pa.Table, dict[int, str], dict[str, Retyped | None]]:
    """Readable rows of a piece, what is wrong with the others, and which columns have no readable value so far."""
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
    return rows.filter(pa.array(~bad)) if bad.any() else rows, reasons, retyped(wrong, carried, source.columns, faults)


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

"""CSV with a header, comma and double quotes (RFC 4180); every field is carried as text, an empty one is missing."""

import csv
import re
from collections.abc import Iterator
from typing import IO, Any, Literal

import numpy as np
import pyarrow as pa
from pyarrow import csv as arrow_csv

from updraft.errors import DeliveryRefused
from updraft.sources.decode import guard, header
from updraft.sources.decode.carried import Carried, written
from updraft.spec.sources import Caps, Source
from updraft.spool import CHUNK, Left

_PIECE = 1 << 21  # bytes of text carried at a time
_LINE_END = re.compile(rb"\r\n|\n|\r")
_END = "\x1e"  # the last row we add; when it does not come out as a row, an open quote has swallowed it


def read(file: IO[bytes], begin: int, source: Source) -> Iterator[Carried]:
    """Carry the rows of a CSV text; rows with another number of fields than the header are broken.

    :param file: UTF-8, from `begin` on.
    :raises DeliveryRefused: If the header does not fit, a quote stays open, or a row is longer than the caps allow.
    """
    names, begins = _header(file, begin, source.caps)
    if not names:
        nothing, empty = pa.chunked_array([], pa.string()), np.zeros(0, np.int64)
        yield Carried(dict.fromkeys(source.columns, nothing), empty, (), written({}, empty, {}))
        return
    header.compare(names, source)
    places = {name: str(names.index(name)) for name in source.columns}
    broken: dict[int, tuple[str, str]] = {}
    first = 1
    file.seek(begins)
    for table, last in _tables(file, len(names), list(places.values()), broken, source):
        row = _numbers(first, len(table), broken)
        end = max([first - 1, *row[-1:].tolist(), *(broken if last else ())])
        lost = {number: broken[number] for number in broken if first <= number <= end}
        columns = {name: table[place] for name, place in places.items()}
        lines = {number: line for number, (line, _) in lost.items()}
        whys = {number: why for number, (_, why) in lost.items()}
        yield Carried(columns, row, tuple(names), written(columns, row, lines), whys)
        first = end + 1


def _numbers(first: int, count: int, broken: dict[int, tuple[str, str]]) -> Any:
    """Numbers of the next rows that are whole."""
    ahead = [number for number in broken if number >= first]
    return np.setdiff1d(np.arange(first, first + count + len(ahead)), ahead, assume_unique=True)[:count]


def _header(file: IO[bytes], begin: int, caps: Caps) -> tuple[list[str], int]:
    """Column names, and where the first row begins; no names when there is nothing but line ends."""
    file.seek(begin)
    while head := file.read(CHUNK):
        if blank := len(head) - len(head.lstrip(b"\r\n")):
            begin += blank
        if blank < len(head):
            break
    if not head:
        return [], begin
    file.seek(begin)
    head = file.read(caps.line_bytes + 2)
    end = _LINE_END.search(head)
    line = head[: end.start() if end else len(head)].decode()
    if line.count('"') % 2:
        raise DeliveryRefused("The header has an open quote.", next_step="have column names sent without line breaks.")
    return next(csv.reader([line])), begin + (end.end() if end else len(head))


def _tables(
    file: IO[bytes], width: int, wanted: list[str], broken: dict[int, tuple[str, str]], source: Source
) -> Iterator[tuple[pa.Table, bool]]:
    """The wanted columns, named by their place, as text, some rows at a time; and whether they are the last.

    When a table is given out, `broken` holds every row in it that is not whole, and perhaps some behind it.
    """
    held: list[pa.RecordBatch] = []
    try:
        for batch in _batches(file, width, wanted, broken, source):
            guard.bad_rows(len(broken), source.caps)
            if sum(each.nbytes for each in held) > _PIECE:
                yield pa.Table.from_batches(held), False
                held = []
            held.append(batch)
    except pa.ArrowInvalid as unreadable:
        said = "" if source.personal else f": {header.plain(str(unreadable), 200)}"  # it may quote a row
        raise DeliveryRefused(
            f"It is not CSV with rows of at most {source.caps.line_bytes} bytes{said}",
            next_step="check its quotes and line ends.",
        ) from unreadable
    guard.bad_rows(len(broken), source.caps)
    table = pa.Table.from_batches(held) if held else pa.table({place: pa.array([], pa.string()) for place in wanted})
    if not len(table) or table[wanted[0]][-1].as_py() != _END:
        raise DeliveryRefused("A quoted field is never closed.", next_step="have the quotes in the file repaired.")
    yield table.slice(0, len(table) - 1), True


def _batches(
    file: IO[bytes], width: int, wanted: list[str], broken: dict[int, tuple[str, str]], source: Source
) -> Iterator[pa.RecordBatch]:
    """What Arrow reads, block by block; rows of another width are noted in `broken`."""
    caps = source.caps

    def skip(row: Any) -> Literal["skip"]:
        if len(broken) <= caps.bad_rows:
            broken[row.number] = (row.text, f"has {row.actual_columns} fields, the header has {row.expected_columns}")
        return "skip"

    last = [""] * width
    last[int(wanted[0])] = _END
    names = [str(place) for place in range(width)]
    with arrow_csv.open_csv(
        pa.PythonFile(Left(file, b"\n" + ",".join(last).encode() + b"\n"), "r"),
        # Rows are numbered only when one thread reads them.
        arrow_csv.ReadOptions(use_threads=False, block_size=_block(caps), column_names=names),
        arrow_csv.ParseOptions(newlines_in_values=True, invalid_row_handler=skip),
        _as_text(wanted),
    ) as reader:
        yield from reader


def _block(caps: Caps) -> int:
    """A row that is longer than a block is refused."""
    return max(CHUNK, caps.line_bytes + 1024)


def _as_text(wanted: list[str]) -> arrow_csv.ConvertOptions:
    return arrow_csv.ConvertOptions(
        column_types=dict.fromkeys(wanted, pa.string()),
        include_columns=wanted,
        null_values=[""],
        strings_can_be_null=True,
        quoted_strings_can_be_null=True,
    )

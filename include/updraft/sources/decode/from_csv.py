"""CSV with a header, comma and double quotes (RFC 4180); every field is carried as text, an empty one is missing."""

import csv
import re
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from pyarrow import csv as arrow_csv

from updraft.errors import DeliveryRefused
from updraft.sources.decode import guard, header
from updraft.sources.decode.carried import Carried, written
from updraft.spec.sources import Caps, Source

_BLOCK = 1 << 20
_LINE_END = re.compile(rb"\r\n|\n|\r")
_END = "\x1e"  # the last row we add; when it does not come out as a row, an open quote has swallowed it
_EMPTY = pa.chunked_array([], pa.string())


def read(text: bytes, source: Source) -> Carried:
    """Carry the rows of a CSV text; rows with another number of fields than the header are broken.

    :param text: UTF-8 without a byte order mark.
    :raises DeliveryRefused: If the header does not fit, a quote stays open, or a row is longer than the caps allow.
    """
    body = text.lstrip(b"\r\n")
    if not body:
        empty = np.zeros(0, np.int64)
        return Carried(dict.fromkeys(source.columns, _EMPTY), empty, (), written({}, empty, {}))
    names, begins = _header(body)
    header.compare(names, source)
    places = {name: str(names.index(name)) for name in source.columns}
    broken: dict[int, tuple[str, str]] = {}
    table = _rows(body[begins:], len(names), list(places.values()), broken, source)
    columns = {name: table[place] for name, place in places.items()}
    row = np.setdiff1d(np.arange(1, len(table) + len(broken) + 1), list(broken), assume_unique=True)
    lines = {number: line for number, (line, _) in broken.items()}
    whys = {number: why for number, (_, why) in broken.items()}
    return Carried(columns, row, tuple(names), written(columns, row, lines), whys)


def _header(body: bytes) -> tuple[list[str], int]:
    """Column names, and where the first row begins."""
    end = _LINE_END.search(body)
    line = body[: end.start() if end else len(body)].decode()
    if line.count('"') % 2:
        raise DeliveryRefused("The header has an open quote.", next_step="have column names sent without line breaks.")
    return next(csv.reader([line])), end.end() if end else len(body)


def _rows(body: bytes, width: int, wanted: list[str], broken: dict[int, tuple[str, str]], source: Source) -> pa.Table:
    """The wanted columns, named by their place, as text."""

    caps = source.caps

    def skip(row: Any) -> Literal["skip"]:
        if len(broken) <= caps.bad_rows:
            broken[row.number] = (row.text, f"has {row.actual_columns} fields, the header has {row.expected_columns}")
        return "skip"

    last = [""] * width
    last[int(wanted[0])] = _END
    whole: Any = pa.BufferReader(b"".join((body, b"\n", ",".join(last).encode(), b"\n")))
    names = [str(place) for place in range(width)]
    try:
        table = arrow_csv.read_csv(
            whole,
            # Rows are numbered only when one thread reads them.
            arrow_csv.ReadOptions(use_threads=False, block_size=_block(caps), column_names=names),
            arrow_csv.ParseOptions(newlines_in_values=True, invalid_row_handler=skip),
            _as_text(wanted),
        )
    except pa.ArrowInvalid as unreadable:
        said = "" if source.personal else f": {header.plain(str(unreadable), 200)}"  # it may quote a row
        raise DeliveryRefused(
            f"It is not CSV with rows of at most {caps.line_bytes} bytes{said}",
            next_step="check its quotes and line ends.",
        ) from unreadable
    guard.bad_rows(len(broken), caps)
    if not len(table) or table[wanted[0]][-1].as_py() != _END:
        raise DeliveryRefused("A quoted field is never closed.", next_step="have the quotes in the file repaired.")
    return table.slice(0, len(table) - 1)


def _block(caps: Caps) -> int:
    """A row that is longer than a block is refused."""
    return max(_BLOCK, caps.line_bytes + 1024)


def _as_text(wanted: list[str]) -> arrow_csv.ConvertOptions:
    return arrow_csv.ConvertOptions(
        column_types=dict.fromkeys(wanted, pa.string()),
        include_columns=wanted,
        null_values=[""],
        strings_can_be_null=True,
        quoted_strings_can_be_null=True,
    )

"""Where in a text its rows begin: the line a person finds in an editor, for formats that have lines."""

from collections.abc import Iterator, Sequence
from typing import IO

from updraft.spec.sources import Source


def lines(text: IO[bytes], source: Source, rows: Sequence[int]) -> dict[int, int]:
    """Line on which each of some rows begins, from 1; empty for formats without lines.

    A row of CSV may stand on several lines, and blank lines are no rows, so that its number alone does not lead there.
    Reads no further than the last row asked for.

    :param text: The content of a delivery, decompressed, read line by line.
    :param rows: Numbers of rows, from 1.
    """
    if source.format == "parquet" or not rows:
        return {}
    text.seek(0)
    wanted, last, found = set(rows), max(rows), {}
    begins = _csv(text) if source.format == "csv" else _jsonl(text)
    for row, line in enumerate(begins, 0 if source.format == "csv" else 1):
        if row in wanted:
            found[row] = line
        if row >= last:
            break
    return found


def _csv(text: IO[bytes]) -> Iterator[int]:
    """Lines on which the header and the rows begin; one that an open quote leads on to begins nothing."""
    quoted = False
    for number, line in enumerate(_split(text), 1):
        if not quoted and line.strip(b"\r\n\xef\xbb\xbf"):
            yield number
        quoted ^= line.count(b'"') % 2 == 1


def _split(text: IO[bytes]) -> Iterator[bytes]:
    """Lines that end in a line feed, a carriage return, or both."""
    for line in text:
        yield from line.splitlines(keepends=True)


def _jsonl(text: IO[bytes]) -> Iterator[int]:
    return (number for number, line in enumerate(text, 1) if not line.isspace())

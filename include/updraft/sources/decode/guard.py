"""Caps that hold before anything is parsed: what a delivery may cost is decided by its spec, not by its sender."""

import codecs
import zlib
from collections.abc import Mapping
from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from updraft.errors import DeliveryRefused
from updraft.sources.decode.carried import Column
from updraft.spec.sources import Caps
from updraft.spool import CHUNK, chunks, size, spool

FLOOR = 1 << 20  # a delivery that decodes to less than this is no bomb, whatever its ratio


def budget(stored: int, caps: Caps) -> int:
    """Bytes that a delivery of `stored` bytes may decode to."""
    return min(caps.decoded_bytes, max(FLOOR, caps.ratio * stored))


def too_large(stored: int, caps: Caps) -> DeliveryRefused:
    """Error for a delivery that decodes to more than its budget."""
    return DeliveryRefused(
        f"Its {stored} bytes decode to more than {budget(stored, caps)}, the most the spec allows.",
        next_step="if that is what the sender meant, raise `caps.decoded_bytes` or `caps.ratio`.",
    )


def inflated(file: IO[bytes], caps: Caps) -> IO[bytes]:
    """Content of a gzip file with a single member, decompressed under the caps.

    :raises DeliveryRefused: If it is damaged, has trailing bytes, or grows beyond its budget.
    """
    stored, out = size(file), spool()
    engine, room = zlib.decompressobj(wbits=31), budget(stored, caps)
    try:
        for chunk in chunks(file):
            pending = chunk
            while len(pending) and not engine.eof:
                room -= out.write(engine.decompress(pending, CHUNK))
                pending = engine.unconsumed_tail
                if room < 0:
                    raise too_large(stored, caps)
            if engine.eof:
                _ends_here(engine, file.tell() < stored)
    except zlib.error as damaged:
        raise DeliveryRefused(f"The gzip file is damaged: {damaged}.", next_step="have it sent again.") from damaged
    if not engine.eof:
        raise DeliveryRefused("The gzip file is cut off.", next_step="have it sent again.")
    out.seek(0)
    return out


def _ends_here(engine: "zlib._Decompress", more: bool) -> None:
    if more or engine.unused_data:
        raise DeliveryRefused(
            "The gzip file holds more than one member.", next_step="compress each delivery as a single file."
        )


def text(file: IO[bytes], caps: Caps) -> int:
    """Where the text of a delivery begins, behind its byte order mark, once it is checked to its end.

    :raises DeliveryRefused: If it is anything but UTF-8 without NUL, with lines and rows within the caps.
    """
    stored = size(file)
    if stored > caps.decoded_bytes:
        raise too_large(stored, caps)
    decoder, start, lines, longest, begun, head = codecs.getincrementaldecoder("utf-8")(), 0, 0, 0, 0, b""
    for chunk in chunks(file):
        head = head or chunk[:8]
        if (at := chunk.find(b"\0")) >= 0:
            raise DeliveryRefused(
                f"There is a NUL byte at {start + at}{_looks_like(head)}.", next_step="send text in UTF-8."
            )
        _decodes(decoder, chunk, start, head)
        ends = np.flatnonzero(np.frombuffer(chunk, dtype=np.uint8) == 10) + start
        lengths = np.diff(ends, prepend=begun - 1) - 1
        begun = int(ends[-1]) + 1 if len(ends) else begun
        start += len(chunk)
        lines, longest = lines + len(ends), max(longest, int(lengths.max(initial=0)), start - begun)
        _within(lines, longest, caps)
    _decodes(decoder, b"", start, head, final=True)
    return len(codecs.BOM_UTF8) if head.startswith(codecs.BOM_UTF8) else 0


def _decodes(decoder: codecs.IncrementalDecoder, chunk: bytes, start: int, head: bytes, *, final: bool = False) -> None:
    try:
        decoder.decode(chunk, final)
    except UnicodeDecodeError as bad:
        raise DeliveryRefused(
            f"It is not UTF-8: {bad.reason} near byte {start + bad.start}{_looks_like(head)}.",
            next_step="send text in UTF-8.",
        ) from bad


def _within(lines: int, longest: int, caps: Caps) -> None:
    if longest > caps.line_bytes:
        raise DeliveryRefused(
            f"A line is longer than {caps.line_bytes} bytes.",
            next_step="check the line ends, or raise `caps.line_bytes`.",
        )
    if lines > caps.rows + 1:
        raise too_many_rows(caps)


def cells(columns: Mapping[str, Column], caps: Caps) -> None:
    """Refuse values that are longer than the caps allow.

    :raises DeliveryRefused: With the column and its longest value's length.
    """
    for name, values in columns.items():
        longest = longest_of(values)
        if longest > caps.cell_bytes:
            raise DeliveryRefused(
                f"A value of {name} has {longest} bytes, the spec allows {caps.cell_bytes}.",
                next_step="check its quotes and delimiters, or raise `caps.cell_bytes`.",
            )


def longest_of(values: Column) -> int:
    """Bytes of the longest text, 0 when there is none.

    >>> longest_of(pa.chunked_array([["a", None], ["bcd"]]))
    3
    """
    return (pc.max(pc.binary_length(values)).as_py() or 0) if pa.types.is_string(values.type) else 0


def bad_rows(count: int, caps: Caps) -> None:
    """Refuse a delivery of which so many rows cannot be read that it is not what the spec describes.

    :raises DeliveryRefused: With the number that is allowed.
    """
    if count > caps.bad_rows:
        raise DeliveryRefused(
            f"More than {caps.bad_rows} of its rows cannot be read as declared.",
            next_step="check that it is what `columns` in spec.yaml describes, or raise `caps.bad_rows`.",
        )


def too_many_rows(caps: Caps) -> DeliveryRefused:
    """Error for a delivery with more rows than the caps allow."""
    return DeliveryRefused(
        f"It has more than {caps.rows} rows.", next_step="deliver it in smaller files, or raise `caps.rows`."
    )


def _looks_like(head: bytes) -> str:
    """A word on what the bytes look like instead.

    >>> _looks_like(bytes([0x1F, 0x8B, 8]))
    '; it looks like gzip, whose name must end in .gz'
    """
    known = {
        b"\x1f\x8b": "gzip, whose name must end in .gz",
        b"PK\x03\x04": "a zip archive, which is not accepted",
        b"PAR1": "Parquet, while the spec says text",
        b"\xff\xfe": "UTF-16",
        b"\xfe\xff": "UTF-16",
    }
    return next((f"; it looks like {what}" for magic, what in known.items() if head.startswith(magic)), "")

"""Caps that hold before anything is parsed: what a delivery may cost is decided by its spec, not by its sender."""

import codecs
import zlib
from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from updraft.errors import DeliveryRefused
from updraft.sources.decode.carried import Column
from updraft.spec.sources import Caps

_CHUNK = 1 << 20
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


def inflated(data: bytes, caps: Caps) -> bytes:
    """Content of a gzip file with a single member, decompressed under the caps.

    :raises DeliveryRefused: If it is damaged, has trailing bytes, or grows beyond its budget.
    """
    engine, out, most = zlib.decompressobj(wbits=31), bytearray(), budget(len(data), caps)
    view = memoryview(data)
    try:
        for start in range(0, len(view), _CHUNK):
            pending: bytes | memoryview = view[start : start + _CHUNK]
            while len(pending) and not engine.eof:
                out += engine.decompress(pending, _CHUNK)
                pending = engine.unconsumed_tail
                if len(out) > most:
                    raise too_large(len(data), caps)
            if engine.eof:
                _ends_here(engine, start + _CHUNK < len(view))
    except zlib.error as damaged:
        raise DeliveryRefused(f"The gzip file is damaged: {damaged}.", next_step="have it sent again.") from damaged
    if not engine.eof:
        raise DeliveryRefused("The gzip file is cut off.", next_step="have it sent again.")
    return bytes(out)


def _ends_here(engine: "zlib._Decompress", more: bool) -> None:
    if more or engine.unused_data:
        raise DeliveryRefused(
            "The gzip file holds more than one member.", next_step="compress each delivery as a single file."
        )


def text(data: bytes, caps: Caps) -> bytes:
    """Text of a delivery without its byte order mark, checked: UTF-8, no NUL, lines and rows within the caps.

    :raises DeliveryRefused: If it is anything else.
    """
    if len(data) > caps.decoded_bytes:
        raise too_large(len(data), caps)
    if (at := data.find(b"\0")) >= 0:
        raise DeliveryRefused(f"There is a NUL byte at {at}{_looks_like(data)}.", next_step="send text in UTF-8.")
    decoder, lines, longest, begun = codecs.getincrementaldecoder("utf-8")(), 0, 0, 0
    for start in range(0, len(data), _CHUNK):
        chunk = data[start : start + _CHUNK]
        _decodes(decoder, chunk, start, data)
        ends = np.flatnonzero(np.frombuffer(chunk, dtype=np.uint8) == 10) + start
        lengths = np.diff(ends, prepend=begun - 1) - 1
        begun = int(ends[-1]) + 1 if len(ends) else begun
        lines, longest = lines + len(ends), max(longest, int(lengths.max(initial=0)), start + len(chunk) - begun)
        _within(lines, longest, caps)
    _decodes(decoder, b"", len(data), data, final=True)
    return data.removeprefix(codecs.BOM_UTF8)


def _decodes(decoder: codecs.IncrementalDecoder, chunk: bytes, start: int, data: bytes, *, final: bool = False) -> None:
    try:
        decoder.decode(chunk, final)
    except UnicodeDecodeError as bad:
        raise DeliveryRefused(
            f"It is not UTF-8: {bad.reason} near byte {start + bad.start}{_looks_like(data)}.",
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


def _looks_like(data: bytes) -> str:
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
    return next((f"; it looks like {what}" for magic, what in known.items() if data.startswith(magic)), "")

"""Zstandard under the caps: a single frame, whose blocks are walked before any of them is decompressed (RFC 8878)."""

import pyarrow as pa

from updraft.errors import DeliveryRefused
from updraft.sources.decode import guard
from updraft.spec.sources import Caps

MAGIC = b"\x28\xb5\x2f\xfd"
_CHUNK = 1 << 20
_RLE, _RESERVED = 1, 3


def inflated(data: bytes, caps: Caps) -> bytes:
    """Content of a Zstandard file with a single frame, decompressed under the caps.

    :raises DeliveryRefused: If it is damaged, has trailing bytes, or grows beyond its budget.
    """
    if (end := _end(data)) > len(data):
        raise DeliveryRefused("The Zstandard file is cut off.", next_step="have it sent again.")
    if end < len(data):
        raise DeliveryRefused(
            "The Zstandard file holds more than one frame.", next_step="compress each delivery as a single file."
        )
    out, most = bytearray(), guard.budget(len(data), caps)
    try:
        with pa.CompressedInputStream(pa.BufferReader(data), "zstd") as stream:
            while chunk := stream.read(_CHUNK):
                out += chunk
                if len(out) > most:
                    raise guard.too_large(len(data), caps)
    except (pa.ArrowException, OSError) as damaged:
        raise _damaged(str(damaged)[:100]) from damaged
    return bytes(out)


def _end(data: bytes) -> int:
    """Where the first frame ends; beyond the data, when it is cut off."""
    if len(data) < 5:
        return len(data) + 1
    told = data[4]
    single = told >> 5 & 1
    sizes = (1 if single else 0, 2, 4, 8)[told >> 6] + (0, 1, 2, 4)[told & 3] + (0 if single else 1)
    at, last = 5 + sizes, 0
    while not last:
        if at + 3 > len(data):
            return len(data) + 1
        block = int.from_bytes(data[at : at + 3], "little")
        last, kind = block & 1, block >> 1 & 3
        if kind == _RESERVED:
            raise _damaged("it has a block of no kind")
        at += 3 + (1 if kind == _RLE else block >> 3)
    return at + (4 if told >> 2 & 1 else 0)


def _damaged(how: str) -> DeliveryRefused:
    return DeliveryRefused(f"The Zstandard file is damaged: {how}.", next_step="have it sent again.")

"""Zstandard under the caps: a single frame, whose blocks are walked before any of them is decompressed (RFC 8878)."""

from typing import IO

import pyarrow as pa

from updraft.errors import DeliveryRefused
from updraft.sources.decode import guard
from updraft.spec.sources import Caps
from updraft.spool import CHUNK, Left, size, spool

MAGIC = b"\x28\xb5\x2f\xfd"
_RLE, _RESERVED = 1, 3


def inflated(file: IO[bytes], caps: Caps) -> IO[bytes]:
    """Content of a Zstandard file with a single frame, decompressed under the caps.

    :raises DeliveryRefused: If it is damaged, has trailing bytes, or grows beyond its budget.
    """
    stored, end = size(file), _end(file)
    if end > stored:
        raise DeliveryRefused("The Zstandard file is cut off.", next_step="have it sent again.")
    if end < stored:
        raise DeliveryRefused(
            "The Zstandard file holds more than one frame.", next_step="compress each delivery as a single file."
        )
    out, room = spool(), guard.budget(stored, caps)
    file.seek(0)
    try:
        with pa.CompressedInputStream(pa.PythonFile(Left(file), "r"), "zstd") as stream:
            while chunk := stream.read(CHUNK):
                room -= out.write(chunk)
                if room < 0:
                    raise guard.too_large(stored, caps)
    except (pa.ArrowException, OSError) as damaged:
        raise _damaged(str(damaged)[:100]) from damaged
    out.seek(0)
    return out


def _end(file: IO[bytes]) -> int:
    """Where the first frame ends; beyond the file, when it is cut off."""
    stored = size(file)
    if stored < 5:
        return stored + 1
    file.seek(4)
    told = file.read(1)[0]
    single = told >> 5 & 1
    sizes = (1 if single else 0, 2, 4, 8)[told >> 6] + (0, 1, 2, 4)[told & 3] + (0 if single else 1)
    at, last = 5 + sizes, 0
    while not last:
        file.seek(at)
        header = file.read(3)
        if len(header) < 3:
            return stored + 1
        block = int.from_bytes(header, "little")
        last, kind = block & 1, block >> 1 & 3
        if kind == _RESERVED:
            raise _damaged("it has a block of no kind")
        at += 3 + (1 if kind == _RLE else block >> 3)
    return at + (4 if told >> 2 & 1 else 0)


def _damaged(how: str) -> DeliveryRefused:
    return DeliveryRefused(f"The Zstandard file is damaged: {how}.", next_step="have it sent again.")

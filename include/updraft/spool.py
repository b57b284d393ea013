"""Bytes and rows on their way: few of them in memory, many in a file that nobody else sees and that goes with them."""

import hashlib
import io
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Self

import pyarrow as pa

from updraft.settings import Settings

SMALL = 16 << 20  # bytes of a delivery, and of its rows, that are held in memory
CHUNK = 1 << 20


def spool() -> IO[bytes]:
    """A file for bytes on their way; nothing of it is left once it is closed, or the process killed."""
    return tempfile.SpooledTemporaryFile(max_size=SMALL, dir=str(folder()))


def chunks(file: IO[bytes], begin: int = 0) -> Iterator[bytes]:
    """Everything in a file from `begin` on, a mebibyte at a time."""
    file.seek(begin)
    while chunk := file.read(CHUNK):
        yield chunk


def size(file: IO[bytes]) -> int:
    """Bytes in a file."""
    return file.seek(0, os.SEEK_END)


def sha256(file: IO[bytes]) -> str:
    """SHA-256 of what a file holds, in hex."""
    found = hashlib.sha256()
    for chunk in chunks(file):
        found.update(chunk)
    return found.hexdigest()


class Pile:
    """Tables of one schema, put one after the other, then read in that order as often as wanted."""

    def __init__(self) -> None:
        self._tables: list[pa.Table] = []
        self._bytes = 0
        self._file: IO[bytes] | None = None
        self._writer: Any = None
        self.rows = 0

    def put(self, table: pa.Table) -> None:
        """Add a table; what was put before moves to disk once it is too much for memory."""
        self.rows, self._bytes = self.rows + len(table), self._bytes + table.nbytes
        self._tables.append(table)
        if self._bytes > SMALL:
            self._spill()

    def done(self) -> Self:
        """The same, now that nothing more is put."""
        if self._writer is not None:
            self._writer.close()
            pa.default_memory_pool().release_unused()  # what was needed to read many rows is not needed again soon
        return self

    @property
    def in_memory(self) -> bool:
        """Whether nothing had to go to disk."""
        return self._file is None

    def __iter__(self) -> Iterator[pa.Table]:
        """The tables, in the order they were put."""
        yield from self._tables
        if self._file is not None:
            stored = pa.ipc.open_file(pa.PythonFile(_At(self._file.fileno()), "r"))
            for number in range(stored.num_record_batches):
                yield pa.Table.from_batches([stored.get_batch(number)])

    def _spill(self) -> None:
        if self._writer is None:
            self._file = tempfile.TemporaryFile(dir=folder(), buffering=0)  # noqa: SIM115 - it goes with its owner
            lean = pa.ipc.IpcWriteOptions(compression="lz4")
            self._writer = pa.ipc.new_file(pa.PythonFile(self._file, "w"), self._tables[0].schema, options=lean)
        for table in self._tables:
            for batch in table.combine_chunks().to_batches():
                self._writer.write_batch(batch)
        self._tables.clear()


class _Reader(io.RawIOBase):
    """What reads for Arrow."""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True


class Left(_Reader):
    """A file from where it stands, and some bytes behind it; whoever closes this leaves the file open."""

    def __init__(self, file: IO[bytes], then: bytes = b"") -> None:
        super().__init__()
        self._file, self._then = file, io.BytesIO(then)

    def tell(self) -> int:  # noqa: D102 - as io.IOBase says
        return self._file.tell()

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:  # noqa: D102
        return self._file.seek(offset, whence)

    def read(self, count: int = -1) -> bytes:  # noqa: D102
        return self._file.read(count) or self._then.read(count)


class _At(_Reader):
    """A reader of an open file with a position of its own, so that several may read at a time."""

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._descriptor, self._at = descriptor, 0

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        begin = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: os.fstat(self._descriptor).st_size}[whence]
        self._at = begin + offset
        return self._at

    def read(self, count: int = -1) -> bytes:
        left = os.fstat(self._descriptor).st_size - self._at
        found = os.pread(self._descriptor, left if count < 0 else count, self._at)
        self._at += len(found)
        return found


def folder() -> Path:
    """Where what is on its way lies."""
    folder = Settings.from_env().home / "spill"
    folder.mkdir(parents=True, exist_ok=True)
    return folder

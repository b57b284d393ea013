"""Files in an inbox folder, one or several per partition.

A delivery may be written in place or renamed into place. Names that begin with a dot or end in `.tmp` or `.part` are
not there yet. A file that changed a moment ago is looked at twice, unless a `_SUCCESS` file lies beside it. Whoever
writes slowly should write under such a name and rename: a pause between two chunks cannot be told from the end.
"""

import glob
import os
import re
import stat
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from updraft.errors import DeliveryMissing, DeliveryRefused, PartitionInvalid
from updraft.sources import Found
from updraft.spec.sources import Source

MARKER = "_SUCCESS"
_FRESH = 2.0  # seconds since the last change
_PAUSE = 0.05  # seconds between two looks
_UNFINISHED = (".tmp", ".part")
_KEY = re.compile(r"[A-Za-z0-9:_-]{1,40}\Z")


def find(source: Source, partitions: Sequence[str], inbox: Path) -> list[Found]:
    """Files of `partitions` that are there and complete, in the order of partitions and names.

    :raises DeliveryRefused: If a name leads out of the inbox.
    """
    root = inbox.resolve()
    paths = [(key, path) for key in partitions for path in _files(source, key, root)]
    changing = _changing([path for _, path in paths])
    return [Found(key, path.relative_to(root).as_posix()) for key, path in paths if path not in changing]


def fetch(source: Source, found: Found, inbox: Path) -> bytes:
    """Bytes of a file that does not change while it is read.

    :raises DeliveryMissing: If it is gone, cannot be read now, or still changes.
    :raises DeliveryRefused: If it is larger than the spec allows, or leads out of the inbox.
    """
    path = _inside(inbox.resolve() / found.origin, inbox.resolve())
    try:
        with path.open("rb") as file:
            before = os.fstat(file.fileno())
            content = b"" if before.st_size > source.caps.bytes else file.read(source.caps.bytes + 1)
            after = os.fstat(file.fileno())
    except OSError as fault:
        raise DeliveryMissing(
            f"{found.origin} cannot be read now: {fault.strerror}.", next_step="check the inbox, then try again."
        ) from fault
    if max(before.st_size, len(content)) > source.caps.bytes:
        raise DeliveryRefused(
            f"{found.origin} has {before.st_size} bytes, the spec allows {source.caps.bytes}.",
            next_step="deliver it in smaller files, or raise `caps.bytes`.",
        )
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns) or len(content) != after.st_size:
        raise DeliveryMissing(f"{found.origin} is still being written.", next_step="try again in a moment.")
    return content


def _files(source: Source, key: str, root: Path) -> Iterator[Path]:
    """Finished files whose name fits the template, gzipped ones included."""
    if not _KEY.match(key):
        raise PartitionInvalid(f"{key[:40]!r} is not a partition key.", next_step="use a key of the calendar.")
    pattern = source.path.replace("{partition}", glob.escape(key))
    patterns = [pattern] if source.format == "parquet" or pattern.endswith(".gz") else [pattern, f"{pattern}.gz"]
    for path in sorted({path for wanted in patterns for path in root.glob(wanted)}):
        if _finished(path.relative_to(root)) and _inside(path, root).is_file():
            yield path


def _finished(name: Path) -> bool:
    return (
        not any(part.startswith(".") for part in name.parts)
        and not name.name.endswith(_UNFINISHED)
        and name.name != MARKER
    )


def _inside(path: Path, root: Path) -> Path:
    real = Path(os.path.realpath(path))  # `resolve` raises on a link to itself
    if not real.is_relative_to(root):
        raise DeliveryRefused(
            f"{path.name[:80]!r} leads out of the inbox.", next_step="put the file itself there, not a link to it."
        )
    return real


def _changing(paths: Sequence[Path]) -> set[Path]:
    """Files that changed between two looks; old files are looked at once."""
    now = time.time()
    looks = {path: _look(path) for path in paths}
    fresh = {
        path: look
        for path, look in looks.items()
        if (look is None or now - look[1] / 1e9 < _FRESH) and not (path.parent / MARKER).exists()
    }
    if fresh:
        time.sleep(_PAUSE)
    return {path for path, look in fresh.items() if look is None or _look(path) != look}


def _look(path: Path) -> tuple[int, int] | None:
    try:
        seen = path.stat()
    except FileNotFoundError:
        return None
    return (seen.st_size, seen.st_mtime_ns) if stat.S_ISREG(seen.st_mode) else None

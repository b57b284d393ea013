"""Files in an inbox folder or at a URL, one or several per partition.

A path that is a URL of an object store leads to `updraft.sources.reach.objects`. What follows is about folders: the
inbox, and one that a `file:///` URL names.

A delivery may be written in place or renamed into place. Names that begin with a dot or end in `.tmp` or `.part` are
not there yet. Unless the spec says otherwise, a file that changed a moment ago is looked at twice, except where a
`_SUCCESS` file lies beside it. Whoever writes slowly should write under such a name and rename, or leave a marker: a
pause between two chunks cannot be told from the end.
"""

import os
import stat
import time
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import IO

from updraft.errors import DeliveryMissing, DeliveryRefused
from updraft.sources import Found, Site
from updraft.sources.reach import names, objects
from updraft.spec.kinds import Files
from updraft.spec.places import Place, place
from updraft.spec.sources import Source
from updraft.spool import CHUNK

_FRESH = 2.0  # seconds since the last change
_PAUSE = 0.05  # seconds between two looks


def find(source: Source, partitions: Sequence[str], site: Site) -> list[Found]:
    """Files of `partitions` that are there and complete, in the order of partitions and names.

    :raises DeliveryRefused: If a name leads out of the folder.
    :raises SourceClosed: If an object store does not let us in.
    :raises SourceUnavailable: If it does not answer.
    """
    there = place(source.path or "")
    if there.store:
        return objects.find(source, partitions, site.connections)
    root = _root(there, site)
    paths = [(key, path) for key in partitions for path in _files(source, key, root)]
    changing = _unsettled([path for _, path in paths], (source.files or Files()).complete)
    return [
        Found(key, f"{there.url}{path.relative_to(root).as_posix()}") for key, path in paths if path not in changing
    ]


def fetch(source: Source, found: Found, site: Site, into: IO[bytes]) -> None:
    """Write the bytes of a file that does not change while it is read.

    :raises DeliveryMissing: If it is gone, cannot be read now, or still changes.
    :raises DeliveryRefused: If it is larger than the spec allows, or leads out of the folder.
    :raises SourceClosed: If an object store does not let us in.
    :raises SourceUnavailable: If it does not answer.
    """
    there = place(source.path or "")
    if there.store:
        objects.fetch(source, found.origin, site.connections, into)
        return
    root = _root(there, site)
    path = _inside(root / found.origin.removeprefix(there.url), root)
    try:
        with path.open("rb") as file:
            before = os.fstat(file.fileno())
            read = 0 if before.st_size > source.caps.bytes else _copied(file, into, source.caps.bytes)
            after = os.fstat(file.fileno())
    except OSError as fault:
        raise DeliveryMissing(
            f"{found.origin} cannot be read now: {fault.strerror}.", next_step="check the folder, then try again."
        ) from fault
    if max(before.st_size, read) > source.caps.bytes:
        raise DeliveryRefused(
            f"{found.origin} has {before.st_size} bytes, the spec allows {source.caps.bytes}.",
            next_step="deliver it in smaller files, or raise `caps.bytes`.",
        )
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns) or read != after.st_size:
        raise DeliveryMissing(f"{found.origin} is still being written.", next_step="try again in a moment.")


def _root(there: Place, site: Site) -> Path:
    """The folder below which nothing but deliveries may be read."""
    return Path(there.root).resolve() if there.scheme == "file" else site.inbox.resolve()


def _copied(file: IO[bytes], into: IO[bytes], most: int) -> int:
    """Copy a file, but not much more than `most` bytes; return how many."""
    read = 0
    while read <= most and (chunk := file.read(CHUNK)):
        read += into.write(chunk)
    return read


def _files(source: Source, key: str, root: Path) -> Iterator[Path]:
    """Finished files whose name fits the template, compressed ones included."""
    for path in sorted({path for wanted in names.patterns(source, key) for path in root.glob(wanted)}):
        if names.finished(path.relative_to(root).as_posix()) and _inside(path, root).is_file():
            yield path


def _inside(path: Path, root: Path) -> Path:
    real = Path(os.path.realpath(path))  # `resolve` raises on a link to itself
    if not real.is_relative_to(root):
        raise DeliveryRefused(
            f"{path.name[:80]!r} leads out of the folder.", next_step="put the file itself there, not a link to it."
        )
    return real


def _unsettled(paths: Sequence[Path], complete: str) -> set[Path]:
    """Files that are not whole yet, as the spec tells it."""
    unmarked = {path for path in paths if not (path.parent / names.MARKER).exists()}
    if complete == "settled":
        return _changing(unmarked)
    return unmarked if complete == "marker" else set()


def _changing(paths: Collection[Path]) -> set[Path]:
    """Files that changed between two looks; old files are looked at once."""
    now = time.time()
    looks = {path: _look(path) for path in paths}
    fresh = {path: look for path, look in looks.items() if look is None or now - look[1] / 1e9 < _FRESH}
    if fresh:
        time.sleep(_PAUSE)
    return {path for path, look in fresh.items() if look is None or _look(path) != look}


def _look(path: Path) -> tuple[int, int] | None:
    try:
        seen = path.stat()
    except FileNotFoundError:
        return None
    return (seen.st_size, seen.st_mtime_ns) if stat.S_ISREG(seen.st_mode) else None

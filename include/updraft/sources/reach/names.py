"""Which names are deliveries of a partition: files below a folder, or objects in a bucket."""

import glob
import re
from collections.abc import Sequence
from fnmatch import fnmatchcase

from updraft.errors import PartitionInvalid
from updraft.partition import KEY_PATTERNS, Calendar
from updraft.spec.places import place
from updraft.spec.sources import Source

MARKER = "_SUCCESS"
_UNFINISHED = (".tmp", ".part")
_PACKED = (".gz", ".zst")
_KEY = re.compile(r"[A-Za-z0-9:_-]{1,40}\Z")


def patterns(source: Source, key: str) -> list[str]:
    """Patterns that the names of a partition's deliveries fit, those of compressed text included.

    :raises PartitionInvalid: If `key` could become anything but a part of a name.
    """
    if not _KEY.match(key):
        raise PartitionInvalid(f"{key[:40]!r} is not a partition key.", next_step="use a key of the calendar.")
    return _packed(source, glob.escape(key))


def anywhere(source: Source) -> list[str]:
    """Patterns that the names of deliveries fit, whatever their partition."""
    return _packed(source, "*")


def named(source: Source, name: str, dates: Calendar) -> list[str]:
    """Partitions that a name is about: that of a delivery, or of the marker beside one.

    Nothing of the name is handed on: a partition is of the calendar, or it is not found.
    """
    # Looked for at every place, since one key may begin within another's digits.
    found = {_known(word, dates) for word in re.findall(f"(?=({KEY_PATTERNS[dates.every]}))", name)} - {""}
    return sorted(key for key in found if any(_about(name, pattern) for pattern in patterns(source, key)))


def _known(word: str, dates: Calendar) -> str:
    try:
        return dates.at(word).key
    except PartitionInvalid:
        return ""


def _about(name: str, pattern: str) -> bool:
    folder, _, last = name.rpartition("/")
    if last == MARKER:
        return fits(folder, pattern.rpartition("/")[0])
    return finished(name) and fits(name, pattern)


def _packed(source: Source, key: str) -> list[str]:
    pattern = place(source.path or "").below.replace("{partition}", key)
    if source.format == "parquet" or pattern.endswith(_PACKED):
        return [pattern]
    return [pattern, *(f"{pattern}{ending}" for ending in _PACKED)]


def fits(name: str, pattern: str) -> bool:
    """Whether a name fits a pattern, part by part; `**` is any number of parts.

    >>> fits("a/b/c.csv", "a/*/c.csv"), fits("a/b/c.csv", "a/*.csv"), fits("a/b/c.csv", "a/**/*.csv")
    (True, False, True)
    """
    return _fits(name.split("/"), pattern.split("/"))


def _fits(parts: Sequence[str], wanted: Sequence[str]) -> bool:
    if not wanted:
        return not parts
    if wanted[0] == "**":
        return any(_fits(parts[skipped:], wanted[1:]) for skipped in range(len(parts) + 1))
    return bool(parts) and fnmatchcase(parts[0], wanted[0]) and _fits(parts[1:], wanted[1:])


def finished(name: str) -> bool:
    """Whether a name is that of something whole: not hidden, not unfinished, not a marker.

    >>> finished("a/b.csv"), finished("a/.b.csv"), finished("a/b.csv.tmp"), finished("a/_SUCCESS")
    (True, False, False, False)
    """
    parts = name.split("/")
    return not any(part.startswith(".") for part in parts) and not name.endswith(_UNFINISHED) and parts[-1] != MARKER

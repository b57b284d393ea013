"""The inbox: which whole files lie there that were not there, or were others, when last looked at."""

from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from updraft import sources
from updraft.arrivals.arrival import MOST, Arrival, Heard
from updraft.errors import DeliveryRefused
from updraft.partition import calendar
from updraft.sources.reach import names
from updraft.spec.model import UseCase


class Inbox:
    """The files of one source.

    :param root: Folder in which files arrive; nothing outside of it is ever looked at.
    :param landed: Gives the partitions that have landed. At the first look they are no news, or a new start would
        name the whole history.
    """

    def __init__(self, case: UseCase, source: str, root: Path, landed: Callable[[], Collection[str]]) -> None:
        self._case = case
        self._source = source
        self._root = root
        self._landed = landed
        self._known: dict[str, tuple[int, int]] | None = None

    def hear(self) -> Heard:
        """Partitions whose files are whole and new, or have changed; what is too much for one look comes next."""
        looks, dropped = self._look()
        if self._known is None:
            landed = set(self._landed())
            self._known = {name: look for name, (key, look) in looks.items() if key in landed}
        news = {key for name, (key, look) in looks.items() if self._known.get(name) != look}
        told = set(sorted(news, reverse=True)[:MOST])
        self._known |= {name: look for name, (key, look) in looks.items() if key in told}
        return Heard(tuple(Arrival(self._case.name, self._source, key) for key in sorted(told)), tuple(dropped))

    def done(self) -> None:
        """Files stay where they are."""

    def _look(self) -> tuple[dict[str, tuple[str, tuple[int, int]]], list[str]]:
        """Partition, size and time of every whole file, by name; and why others are left out."""
        looks, dropped = {}, []
        declared = self._case.sources[self._source]
        for key in sorted(self._keys()):
            try:
                for found in sources.find(declared, [key], self._root, case=self._case):
                    seen = (self._root / found.origin).stat()
                    looks[found.origin] = key, (seen.st_size, seen.st_mtime_ns)
            except DeliveryRefused as outside:
                dropped.append(outside.what)
            except FileNotFoundError:
                dropped.append(f"a file of {key} went while it was looked at")
        return looks, dropped

    def _keys(self) -> Iterator[str]:
        """Partitions that some name in the inbox is about."""
        declared, dates, root = self._case.sources[self._source], calendar(self._case), self._root.resolve()
        found = {path for pattern in names.anywhere(declared) for path in root.glob(pattern)}
        yield from {key for path in found for key in names.named(declared, path.relative_to(root).as_posix(), dates)}

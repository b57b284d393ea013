"""A lake that shows some of another lake, and writes only below a root of its own."""

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import IO, Any

import pyarrow as pa

from updraft.errors import ReadOnly
from updraft.lake import Lake
from updraft.rows import Rows


@dataclass(frozen=True)
class Shadow(Lake):
    """A lake of its own, through which some of another one is seen.

    Every method that reads asks `_side`, which may be the other lake. Every method that writes asks `_own`, which never
    is: nothing that is done to a shadow reaches what it shows.

    :param live: The other lake.
    :param shown: First parts of the names of tables and objects that are those of the other lake; `None` for all.
    """

    live: Lake = field(default_factory=lambda: Lake(""))
    shown: frozenset[str] | None = None

    @classmethod
    def over(cls, live: Lake, uri: str, shown: Iterable[str]) -> "Shadow":
        """Cast a shadow over a lake.

        :raises ReadOnly: If its root lies within the lake's, or holds it: writing there would be writing to the lake.
        """
        inner, outer = (_root(each) for each in (uri, live.uri))
        if inner.startswith(outer) or outer.startswith(inner):
            raise ReadOnly(
                f"A shadow at {uri} would lie within the lake at {live.uri}, or hold it.",
                next_step="keep it in a folder beside the lake.",
            )
        return cls(uri, {}, live=live, shown=frozenset(shown))

    def _shows(self, name: str) -> bool:
        return self.shown is None or name.split("/", 1)[0] in self.shown

    def _side(self, name: str) -> Lake:
        return self.live if self._shows(name) else self._own(name)

    def _own(self, name: str) -> Lake:
        if self._shows(name):
            raise ReadOnly(
                f"{name} is the lake's at {self.live.uri}, which is only read here.",
                next_step="report it as a fault of Updraft.",
            )
        return Lake(self.uri, self.options)

    # ---- what reads ---------------------------------------------------------------------------------------------

    def read(
        self, table: str, partitions: Sequence[str] | None = None, columns: Sequence[str] | None = None
    ) -> Rows | None:
        """Rows of a table, from the side whose it is."""
        return self._side(table).read(table, partitions, columns)

    def scan(
        self, table: str, partitions: Sequence[str], columns: Sequence[str] | None = None, where: Any = None
    ) -> Iterator[Rows]:
        """Rows of a table, some at a time."""
        return self._side(table).scan(table, partitions, columns, where)

    def partitions(self, table: str) -> list[str]:
        """Keys of the partitions a table holds."""
        return self._side(table).partitions(table)

    def counts(self, table: str) -> Mapping[str, int]:
        """Rows of a table by partition."""
        return self._side(table).counts(table)

    def still(self) -> Lake:
        """The same, with what is shown of the other lake at the versions it has when it is first asked about."""
        return replace(self, live=self.live.still())

    def shape(self, table: str) -> tuple[int, pa.Schema] | None:
        """Version and columns of a table."""
        return self._side(table).shape(table)

    def version(self, table: str) -> int | None:
        """Version of a table."""
        return self._side(table).version(table)

    def fetch(self, key: str) -> IO[bytes]:
        """Content of an object, in a file of one's own."""
        return self._side(key).fetch(key)

    def get(self, key: str) -> bytes:
        """Content of an object."""
        return self._side(key).get(key)

    def keys(self, prefix: str) -> list[str]:
        """Keys of the objects below `prefix`."""
        return self._side(prefix).keys(prefix)

    def tags(self, prefix: str) -> dict[str, str | None]:
        """Keys of the objects below `prefix`, without the tags, which may be those of two stores."""
        return dict.fromkeys(self.keys(prefix))

    def location(self, key: str) -> str:
        """Where an object is found."""
        return self._side(key).location(key)

    # ---- what writes: each raises `ReadOnly` about what is the other lake's ---------------------------------------

    def update(  # type: ignore[override]  # the decorator of the one above hides its signature
        self, table: str, partitions: Sequence[str], change: Callable[[Rows | None], Rows]
    ) -> int:
        """Replace partitions of a table of one's own; `replace` comes here too."""
        return self._own(table).update(table, partitions, change)

    def pour(  # type: ignore[override]
        self, table: str, partition: str, rows: Iterable[Rows], schema: pa.Schema, beside: Any
    ) -> int:
        """Put rows into a table of one's own."""
        return self._own(table).pour(table, partition, rows, schema, beside)

    def create(self, key: str, content: bytes) -> bool:
        """Store an object of one's own unless it is there."""
        return self._own(key).create(key, content)

    def put(self, key: str, content: bytes) -> None:
        """Store an object of one's own."""
        self._own(key).put(key, content)

    def keep(self, key: str, file: IO[bytes]) -> None:
        """Store an object of one's own, of any size."""
        self._own(key).keep(key, file)


def _root(uri: str) -> str:
    """Where a lake really lies, with a slash at its end."""
    return f"{uri if '://' in uri else os.path.realpath(uri)}".rstrip("/") + "/"


def inventory(lake: Lake) -> dict[str, str]:
    """Size, moment and the store's tag of every file of a lake, by key: what tells whether it was changed."""
    found = (each for page in lake._store.list() for each in page)
    return {each["path"]: f"{each['size']} {each['last_modified']} {each['e_tag']}" for each in found}


def seal(found: Mapping[str, str]) -> str:
    """SHA-256 of an inventory."""
    return hashlib.sha256(repr(sorted(found.items())).encode()).hexdigest()

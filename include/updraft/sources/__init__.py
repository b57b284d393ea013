"""Kinds of sources: where deliveries come from, and how their bytes become typed rows.

Every module of this package is a kind, named as `type:` in a spec; it offers `find` and `fetch`, and ends in bytes of
a declared format. A new kind is a new file here, and its section in `updraft.spec.kinds`. The package `reach` is what
kinds share on their way to the rows; the package `decode` turns bytes into rows and is the same for all kinds.
"""

import pkgutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import IO, Protocol, cast

from updraft.errors import SpecInvalid, did_you_mean
from updraft.sources.reach.connection import Connection, Connections, from_environment
from updraft.sources.reach.tag import Tag
from updraft.spec.model import UseCase
from updraft.spec.sources import Source
from updraft.spool import spool

__all__ = [
    "Connection",
    "Connections",
    "Found",
    "Kind",
    "Site",
    "Tag",
    "fetch",
    "find",
    "from_environment",
    "kind",
    "kinds",
    "missing",
]


@dataclass(frozen=True, order=True)
class Found:
    """A delivery that is there, whole, and not fetched yet.

    :param partition: Key of the partition it is for.
    :param origin: Where it lies, as its kind of source names it.
    """

    partition: str
    origin: str


@dataclass(frozen=True)
class Site:
    """Where a kind of source looks for deliveries, and with what.

    :param inbox: Folder in which files arrive.
    :param connections: Looks a connection up by its name.
    :param of: The use case; a kind that asks for a span of time or a file beside the spec needs it.
    :param tag: What the source called what it gave before.
    """

    inbox: Path
    connections: Connections = from_environment
    of: UseCase | None = None
    tag: Tag = field(default_factory=Tag)

    @property
    def case(self) -> UseCase:
        """The use case."""
        if self.of is None:
            raise ValueError("a source of this kind can only be asked with its use case")
        return self.of


class Kind(Protocol):
    """What a module of this package offers."""

    def find(self, source: Source, partitions: Sequence[str], site: Site) -> list[Found]:
        """Deliveries of `partitions` that are there and complete, in the order of their names."""

    def fetch(self, source: Source, found: Found, site: Site, into: IO[bytes]) -> None:
        """Write the bytes of a delivery, as they are.

        :raises DeliveryMissing: If it is not there any more, or still changes.
        :raises DeliveryRefused: If it is larger than the spec allows.
        :raises SourceClosed: If the connection is unknown, or not let in.
        :raises SourceUnavailable: If the system behind it does not answer.
        """


def kinds() -> list[str]:
    """Kinds of sources there are, sorted.

    >>> "files" in kinds()
    True
    """
    return sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.ispkg)


def kind(source: Source) -> Kind:
    """Module that fetches deliveries of `source`.

    :raises SpecInvalid: If there is no such kind.
    """
    if source.type not in kinds():
        raise SpecInvalid(
            f"There is no source type {source.type!r}; {did_you_mean(source.type, kinds())}",
            next_step="correct `type` in spec.yaml, or add a module to updraft.sources.",
        )
    return cast(Kind, import_module(f"{__name__}.{source.type}"))


def find(
    source: Source,
    partitions: Sequence[str],
    inbox: Path,
    *,
    case: UseCase | None = None,
    connections: Connections = from_environment,
) -> list[Found]:
    """Deliveries of `partitions` that are there and complete."""
    return kind(source).find(source, partitions, Site(inbox, connections, case))


def fetch(
    source: Source,
    found: Found,
    inbox: Path,
    *,
    case: UseCase | None = None,
    connections: Connections = from_environment,
    tag: Tag | None = None,
) -> IO[bytes]:
    """Bytes of a delivery, as they are, in a file of one's own.

    :param tag: What the source called what it gave before.
    :raises Unchanged: If the source says that it is still that.
    :raises DeliveryMissing: If it is not there any more, or still changes.
    :raises DeliveryRefused: If it is larger than the spec allows.
    :raises SourceClosed: If the connection is unknown, or not let in.
    :raises SourceUnavailable: If the system behind it does not answer.
    """
    into = spool()
    kind(source).fetch(source, found, Site(inbox, connections, case, tag or Tag()), into)
    into.seek(0)
    return into


def missing(
    source: Source,
    partitions: Sequence[str],
    inbox: Path,
    *,
    case: UseCase | None = None,
    connections: Connections = from_environment,
) -> list[str]:
    """Keys among `partitions` for which nothing complete is there."""
    there = {found.partition for found in find(source, partitions, inbox, case=case, connections=connections)}
    return [key for key in partitions if key not in there]

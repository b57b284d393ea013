"""Objects in any store that obstore speaks to, by URL.

An object that is listed is whole. What is read is one version of it: a read that is cut off goes on where it ended, and
ends if the ETag is another by then.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import IO, Any

from updraft.errors import DeliveryMissing, DeliveryRefused, SourceClosed, SourceUnavailable, SpecInvalid, UpdraftError
from updraft.sources import Found
from updraft.sources.reach import names
from updraft.sources.reach.connection import Connection, Connections
from updraft.sources.reach.keyring import keys
from updraft.spec.kinds import Files
from updraft.spec.places import Place, place
from updraft.spec.sources import Source
from updraft.spool import CHUNK

_LITERAL = re.compile(r"[^*?\[]*")
_STATUS = re.compile(r"status code: (\d{3})")
_TRIES: Any = {"max_retries": 4, "retry_timeout": timedelta(seconds=60)}


def find(source: Source, partitions: Sequence[str], connections: Connections) -> list[Found]:
    """Objects of `partitions` that are complete, in the order of partitions and names.

    :raises SpecInvalid: If there is no such bucket.
    :raises DeliveryRefused: If an object in the folder has a name that cannot be read.
    :raises SourceClosed: If the store does not let us in.
    :raises SourceUnavailable: If it does not answer.
    """
    there, connection = place(source.path or ""), _connection(source, connections)
    absent = SpecInvalid(f"There is no bucket {there.root!r}.", next_step="correct `path` in spec.yaml.")
    with _translated(there, connection, absent):
        store = _opened(there, connection)
        listed = _listed(store, {key: names.patterns(source, key) for key in partitions})
        if (source.files or Files()).complete == "marker":
            folders = {name.rpartition("/")[0] for own in listed.values() for name in own}
            marked = {folder for folder in folders if _there(store, f"{folder}/{names.MARKER}".removeprefix("/"))}
            listed = {key: [n for n in own if n.rpartition("/")[0] in marked] for key, own in listed.items()}
    return [Found(key, f"{there.url}{name}") for key in partitions for name in sorted(listed[key])]


def fetch(source: Source, origin: str, connections: Connections, into: IO[bytes]) -> None:
    """Write the bytes of an object, of one version of it.

    :raises DeliveryMissing: If it is gone, or was replaced while it was read.
    :raises DeliveryRefused: If it is larger than the spec allows.
    :raises SourceClosed: If the store does not let us in.
    :raises SourceUnavailable: If it does not answer, or sends something else than it said.
    """
    import obstore

    there, connection = place(source.path or ""), _connection(source, connections)
    absent = DeliveryMissing(f"{origin} is not there.", next_step="ask the sender, then try again.")
    with _translated(there, connection, absent):
        answer = obstore.get(_opened(there, connection), origin.removeprefix(there.url))
        size, read = answer.meta["size"], 0
        if size > source.caps.bytes:
            raise DeliveryRefused(
                f"{origin} has {size} bytes, the spec allows {source.caps.bytes}.",
                next_step="deliver it in smaller objects, or raise `caps.bytes`.",
            )
        for chunk in answer.stream(min_chunk_size=CHUNK):
            read += into.write(memoryview(chunk))
        if read != size:
            raise _silent(there, connection, f"it sent {read} bytes of {size}")


def _connection(source: Source, connections: Connections) -> Connection | None:
    named = source.files and source.files.connection
    return connections(named) if named else None


def _opened(there: Place, connection: Connection | None) -> Any:
    from obstore.exceptions import BaseError
    from obstore.store import from_url

    found = keys(there.scheme, connection)
    # Not empty: that would put aside what the environment says of the client.
    client: Any = {"allow_http": True} if found.address.startswith("http://") else None
    try:
        return from_url(there.root, client_options=client, retry_config=_TRIES, **found.options)
    except BaseError:
        # Not `from`: the fault quotes the key that it could not read.
        raise _closed(there, connection, "account, key or address is missing or cannot be read") from None


def _listed(store: Any, wanted: dict[str, list[str]]) -> dict[str, list[str]]:
    """Names that fit, by partition; a folder in which several partitions lie is listed once."""
    import obstore

    begins = {key: _begin(patterns[0]) for key, patterns in wanted.items()}
    folders: dict[str, list[str]] = defaultdict(list)
    for key, begin in begins.items():
        folders[begin.rpartition("/")[0]].append(key)
    found: dict[str, list[str]] = {key: [] for key in wanted}
    for folder, own in folders.items():
        for each in (each for page in obstore.list(store, folder or None, chunk_size=1_000) for each in page):
            name = each["path"]
            fit = [key for key in own if name.startswith(begins[key]) and _fits(name, wanted[key])]
            # The empty object that some tools make for a folder is listed without its slash, and cannot be read.
            if fit and (each["size"] > 0 or _there(store, name)):
                for key in fit:
                    found[key].append(name)
    return found


def _begin(pattern: str) -> str:
    literal = _LITERAL.match(pattern)
    return literal[0] if literal else ""


def _fits(name: str, patterns: Sequence[str]) -> bool:
    return names.finished(name) and any(names.fits(name, pattern) for pattern in patterns)


def _there(store: Any, name: str) -> bool:
    import obstore

    try:
        obstore.head(store, name)
    except FileNotFoundError:
        return False
    return True


@contextmanager
def _translated(there: Place, connection: Connection | None, absent: UpdraftError) -> Iterator[None]:
    """Turn the faults of the store into errors of Updraft that hold no secret.

    :param absent: What it means that something is not there.
    """
    from obstore.exceptions import BaseError

    try:
        yield
    except (BaseError, FileNotFoundError, PermissionError) as fault:
        # Not `from`: the fault quotes what a server said to a signed request.
        raise _meant(fault, there, connection, absent) from None


def _meant(fault: Exception, there: Place, connection: Connection | None, absent: UpdraftError) -> UpdraftError:
    from obstore.exceptions import (
        InvalidPathError,
        PermissionDeniedError,
        PreconditionError,
        UnauthenticatedError,
    )

    if isinstance(fault, InvalidPathError):
        return DeliveryRefused(
            f"Among the objects of {there.root} is one with a name that cannot be read: {str(fault)[:200]!r}.",
            next_step="rename or remove it: a name has no empty part, no `.`, no `..` and no control character.",
        )
    found = _STATUS.search(str(fault))
    status = int(found[1]) if found else 0
    if isinstance(fault, FileNotFoundError) or status == 404:
        return absent
    if isinstance(fault, PreconditionError) or status == 412:
        return DeliveryMissing(f"An object of {there.root} was replaced while it was read.", next_step="try again.")
    said = f"it answered {status}" if status else "no answer, or one that broke off"
    if isinstance(fault, (PermissionError, PermissionDeniedError, UnauthenticatedError)) or status in (400, 401, 403):
        return _closed(there, connection, said)
    return _silent(there, connection, said)


def _closed(there: Place, connection: Connection | None, said: str) -> SourceClosed:
    if connection is not None:
        return connection.closed(said)
    return SourceClosed(
        f"{there.root} does not let in what the environment says: {said}.",
        next_step="set the store's account and keys in the environment, or name a connection in `files.connection`.",
    )


def _silent(there: Place, connection: Connection | None, said: str) -> SourceUnavailable:
    if connection is not None:
        return connection.silent(said)
    return SourceUnavailable(
        f"{there.root} did not answer as it should: {said}.",
        next_step="check that it is up and that region and address in the environment are right, then try again.",
    )

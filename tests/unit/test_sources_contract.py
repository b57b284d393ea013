"""What every kind of source keeps to. A kind that has no stand in here fails: add one to `STANDS`."""

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests import postgres, served
from tests.bucket import Bucket
from tests.stands import COLUMNS, DAY, FUTURE, NEXT, SECRET, Files, FilesAtUrl, Http, Python, Sql, Stand, of_day
from tests.store_stands import S3, FilesInAzure, FilesInGoogle, FilesInS3

from updraft import sources
from updraft.errors import DeliveryMissing, DeliveryRefused, Permanent, SourceClosed, Transient
from updraft.sources import Found
from updraft.sources.decode import decode
from updraft.spec.model import UseCase
from updraft.spec.sources import Source


@contextmanager
def _files(folder: Path, _: Any) -> Iterator[Stand]:
    yield Files(folder)


@contextmanager
def _python(folder: Path, _: Any) -> Iterator[Stand]:
    yield Python(folder)


@contextmanager
def _http(folder: Path, _: Any) -> Iterator[Stand]:
    with served.serving(lambda asked: server.api.answer(asked)) as server:
        yield Http(folder, server)


@contextmanager
def _s3(folder: Path, servers: Any) -> Iterator[Stand]:
    with closing(S3(folder, servers("moto"))) as stand:
        yield stand


@contextmanager
def _files_url(folder: Path, _: Any) -> Iterator[Stand]:
    yield FilesAtUrl(folder)


@contextmanager
def _files_s3(folder: Path, servers: Any) -> Iterator[Stand]:
    with closing(FilesInS3(folder, servers("moto"))) as stand:
        yield stand


def _in(stand: Any) -> Any:
    @contextmanager
    def standing(folder: Path, _: Any) -> Iterator[Stand]:
        with served.serving(bucket := Bucket("facts")) as server:
            yield stand(folder, bucket, server.port)

    return standing


@contextmanager
def _sql(folder: Path, servers: Any) -> Iterator[Stand]:
    yield Sql(folder, servers("postgres"))


STANDS = {
    "files": _files,
    "files-url": _files_url,
    "files-s3": _files_s3,
    "files-az": _in(FilesInAzure),
    "files-gs": _in(FilesInGoogle),
    "http": _http,
    "python": _python,
    "s3": _s3,
    "sql": _sql,
}
SLOW = {"sql", "s3", "files-s3"}
SERVERS = {"postgres": postgres.cluster, "moto": served.moto}
KINDS = [
    pytest.param(kind, marks=[pytest.mark.slow] if kind in SLOW else []) for kind in sorted({*sources.kinds(), *STANDS})
]


@pytest.fixture(scope="module")
def servers():
    """Start a server when the first test asks for it; all of them end with this module."""
    with ExitStack() as running:
        started: dict[str, Any] = {}

        def server(name):
            if name not in started:
                started[name] = running.enter_context(SERVERS[name]())
            return started[name]

        yield server


@dataclass(frozen=True)
class World:
    """A stand, and the use case with its source as a spec would declare it."""

    stand: Stand
    make_case: Any

    def case(self, **changes: Any) -> UseCase:
        kind = self.stand.kind or type(self.stand).__name__.lower()
        about = {"key": ["id"], "event_time": "at", "known_at": {"delay": "1h"}, "columns": COLUMNS}
        case = self.make_case(sources={"facts": {"type": kind, **about, **self.stand.settings(), **changes}})
        case._folder = self.stand.folder
        return case

    def site(self, case: UseCase, shut: bool = False) -> dict[str, Any]:
        connection = self.stand.shut if shut else self.stand.open
        return {"inbox": self.stand.inbox, "case": case, "connections": lambda name: connection()}

    def find(self, *keys: str, **changes: Any) -> list[Found]:
        case = self.case(**changes)
        return sources.find(case.sources["facts"], keys, **self.site(case))

    def fetch(self, found: Found, shut: bool = False, **changes: Any) -> bytes:
        case = self.case(**changes)
        return sources.fetch(case.sources["facts"], found, **self.site(case, shut)).read()


@pytest.fixture(params=KINDS)
def world(request, tmp_path, servers, make_case):
    assert request.param in STANDS, f"write a stand for the kind {request.param!r}"
    with STANDS[request.param](tmp_path, servers) as stand:
        yield World(stand, make_case)


def test_nothing_is_found_where_there_is_nothing(world):
    assert world.find(FUTURE) == []


def test_only_the_partitions_asked_for_are_found_and_in_their_order(world):
    world.stand.deliver()
    assert [found.partition for found in world.find(NEXT)] == [NEXT]
    assert [found.partition for found in world.find(DAY, NEXT, FUTURE)] == [DAY, NEXT]


def test_a_delivery_decodes_to_the_declared_columns(world):
    world.stand.deliver()
    (found,) = world.find(DAY)
    rows = decode(world.fetch(found), world.case().sources["facts"])
    assert rows.bad == {}
    told = rows.rows.drop_columns("row").sort_by("id").to_pylist()
    wanted = sorted(of_day(DAY), key=lambda row: row["id"])
    assert [{**row, "at": row["at"].strftime("%Y-%m-%dT%H:%M:%SZ")} for row in told] == wanted


def test_the_same_twice_is_the_same_bytes(world):
    world.stand.deliver()
    (found,) = world.find(DAY)
    assert world.fetch(found) == world.fetch(found)
    assert world.find(DAY) == [found]
    assert world.fetch(found) != world.fetch(*world.find(NEXT))


def test_more_than_the_caps_allow_is_refused_before_it_is_read_whole(world):
    world.stand.deliver()
    world.stand.flood()
    (found,) = world.find(DAY)
    with pytest.raises(DeliveryRefused, match=r"raise `caps\.bytes`"):
        world.fetch(found, caps={"bytes": 100_000})


def test_what_is_not_there_is_missing_and_worth_another_try(world):
    with pytest.raises(DeliveryMissing) as missing:
        world.fetch(world.stand.absent)
    assert isinstance(missing.value, Transient)
    assert SECRET not in repr(missing.value)


def test_who_is_not_let_in_is_told_which_connection_to_mend_and_no_secret(world):
    if world.stand.connection is None:
        section = getattr(world.case().sources["facts"], world.case().sources["facts"].type)
        assert not hasattr(section, "connection"), "a kind with a connection must show what it does when it is shut out"
        return
    world.stand.deliver()
    (found,) = world.find(DAY)
    with pytest.raises(SourceClosed, match="'there'") as closed:
        world.fetch(found, shut=True)
    assert isinstance(closed.value, Permanent)
    cause = closed.value.__cause__
    for secret in (SECRET, "another-secret"):
        assert secret not in f"{closed.value} {closed.value!r} {cause!r}"
    assert SECRET not in repr(world.stand.open())


def test_a_kind_offers_find_and_fetch_and_says_what_they_do():
    for name in sources.kinds():
        module = sources.kind(Source.model_construct(type=name))
        assert module.find.__doc__
        assert module.fetch.__doc__
        assert module.__doc__

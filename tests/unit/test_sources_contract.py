"""What every kind of source keeps to. A kind that has no stand in here fails: add one to `STANDS`."""

import json
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import boto3
import pytest
from tests import postgres, served
from tests.bucket import Bucket

from updraft import sources
from updraft.errors import DeliveryMissing, DeliveryRefused, Permanent, SourceClosed, Transient
from updraft.sources import Connection, Found
from updraft.sources.decode import decode
from updraft.spec.model import UseCase
from updraft.spec.sources import Source

DAY, NEXT, FUTURE = "2024-01-02", "2024-01-03", "2999-01-01"
SECRET, LOGIN = postgres.PASSWORD, postgres.OWNER
COLUMNS = {
    "id": {"type": "integer"},
    "name": {"type": "string", "nullable": True},
    "amount": {"type": "number", "nullable": True},
    "late": {"type": "boolean", "nullable": True},
    "at": {"type": "timestamp"},
}
ROWS = [
    {"id": 2, "name": None, "amount": None, "late": None, "at": f"{DAY}T23:00:00Z"},
    {"id": 1, "name": "Ann, \"x\"", "amount": 1.5, "late": True, "at": f"{DAY}T05:00:00Z"},
    {"id": 3, "name": "Bo", "amount": -2.0, "late": False, "at": f"{NEXT}T00:00:00Z"},
]  # fmt: skip


def of_day(key: str) -> list[dict[str, Any]]:
    return [row for row in ROWS if row["at"].startswith(key)]


class Stand:
    """A source of one kind, and the other side of it."""

    kind = ""
    connection: str | None = "there"
    absent = Found(FUTURE, f"there/{FUTURE}")

    def __init__(self, folder: Path) -> None:
        self.inbox = folder / "inbox"
        self.folder = folder

    def settings(self) -> dict[str, Any]:
        """What the spec says beside the columns."""
        raise NotImplementedError

    def open(self) -> Connection:
        """The connection that is let in."""
        return Connection("there")

    def shut(self) -> Connection:
        """One that is not."""
        raise NotImplementedError

    def deliver(self) -> None:
        """Put all rows there."""

    def flood(self) -> None:
        """Put more there than anyone could read."""


class Files(Stand):
    connection = None
    absent = Found(DAY, "facts/nothing.jsonl")

    def settings(self):
        return {"path": "facts/{partition}.jsonl", "format": "jsonl"}

    def _file(self, key):
        path = self.inbox / f"facts/{key}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def deliver(self):
        for key in (DAY, NEXT):
            self._file(key).write_text("".join(json.dumps(row) + "\n" for row in of_day(key)))
            os.utime(self._file(key), (time.time() - 60,) * 2)

    def flood(self):
        with self._file(DAY).open("wb") as file:
            file.truncate(1 << 40)


class FilesAtUrl(Files):
    """The same folder, by its URL, and no inbox."""

    kind = "files"

    def __init__(self, folder):
        super().__init__(folder)
        self.absent = Found(DAY, f"file://{self.inbox}/facts/nothing.jsonl")

    def settings(self):
        return {"path": f"file://{self.inbox}/facts/{{partition}}.jsonl", "format": "jsonl"}


class Sql(Stand):
    table, query = "facts", "SELECT * FROM facts WHERE at >= :start AND at < :end"

    def __init__(self, folder, server):
        super().__init__(folder)
        self.server = server
        server.run(
            "DROP TABLE IF EXISTS facts",
            "CREATE TABLE facts (id bigint, name text, amount numeric, late boolean, at timestamptz)",
        )

    def settings(self):
        return {"sql": {"connection": "there", "query": self.query}}

    def open(self):
        return self._as(SECRET)

    def shut(self):
        return self._as("another-secret")

    def _as(self, password):
        place = {"host": "127.0.0.1", "port": self.server.port, "schema": "postgres"}
        return Connection("there", "postgres", login=LOGIN, password=password, **place)

    def deliver(self):
        names = ", ".join(COLUMNS)
        for row in ROWS:
            values = ", ".join("NULL" if v is None else f"'{v}'" for v in row.values())
            self.server.run(f"INSERT INTO facts ({names}) VALUES ({values})")

    def flood(self):
        self.query = (
            "SELECT generate_series(1, 1000000000000) AS id, 'x' AS name, 0.5 AS amount, true AS late, "
            "CAST(:start AS timestamptz) AS at WHERE CAST(:end AS timestamptz) IS NOT NULL"
        )


class Http(Stand):
    def __init__(self, folder, server):
        super().__init__(folder)
        self.server, server.api = server, self
        self.rows, self.endless = [], False

    def settings(self):
        params = {"from": "{start}", "to": "{end}"}
        return {"http": {"connection": "there", "path": "/facts", "params": params, "rate": "1000/second"}}

    def open(self):
        return Connection("there", "http", "127.0.0.1", self.server.port, password=SECRET)

    def shut(self):
        return replace(self.open(), password="another-secret")

    def answer(self, asked):
        if asked.headers["Authorization"] != f"Bearer {SECRET}":
            return asked.say(status=401)
        if self.endless:
            asked.start()
            while True:
                asked.handler.wfile.write(b"x" * 65_536)
        span = dict(parse_qsl(urlsplit(asked.path).query))
        return asked.say(json.dumps([row for row in self.rows if span["from"] <= row["at"] < span["to"]]).encode())

    def deliver(self):
        self.rows = ROWS

    def flood(self):
        self.endless = True


class S3(Stand):
    absent = Found(DAY, "s3://facts/facts/nothing.jsonl")

    def __init__(self, folder, server):
        super().__init__(folder)
        self.server = server
        keys = {"aws_access_key_id": "x", "aws_secret_access_key": "y"}
        self.client = boto3.client("s3", endpoint_url=server.address, region_name="us-east-1", **keys)
        self.client.create_bucket(Bucket="facts")

    def settings(self):
        return {"path": "facts/{partition}.jsonl", "format": "jsonl", "s3": {"connection": "there", "bucket": "facts"}}

    def open(self):
        extra = {"endpoint_url": self.server.address, "region_name": "us-east-1"}
        return Connection("there", "aws", login=LOGIN, password=SECRET, extra=extra)

    def shut(self):
        self.server.check_keys(True)
        return replace(self.open(), password="another-secret")

    def close(self):
        self.server.check_keys(False)
        for each in self.client.list_objects_v2(Bucket="facts").get("Contents", ()):
            self.client.delete_object(Bucket="facts", Key=each["Key"])

    def _put(self, key, body):
        self.client.put_object(Bucket="facts", Key=f"facts/{key}.jsonl", Body=body)

    def deliver(self):
        for key in (DAY, NEXT):
            self._put(key, "".join(json.dumps(row) + "\n" for row in of_day(key)).encode())

    def flood(self):
        self._put(DAY, b"x" * 100_001)


class FilesInS3(S3):
    """The same bucket, by its URL."""

    kind = "files"

    def settings(self):
        return {
            "path": "s3://facts/facts/{partition}.jsonl",
            "format": "jsonl",
            "files": {"connection": "there"},
        }


class FilesInAzure(Stand):
    """A container of the small server that lists as Azure does; it is entered with a shared access signature."""

    kind = "files"
    absent = Found(DAY, "az://facts/facts/nothing.jsonl")

    def __init__(self, folder, bucket, port):
        super().__init__(folder)
        self.bucket, self.port = bucket, port
        bucket.signature = SECRET

    def settings(self):
        return {"path": "az://facts/facts/{partition}.jsonl", "format": "jsonl", "files": {"connection": "there"}}

    def open(self):
        return self._with(SECRET)

    def shut(self):
        return self._with("another-secret")

    def _with(self, signature):
        host = f"http://127.0.0.1:{self.port}/account"
        return Connection(
            "there", "wasb", host, login="account", extra={"sas_token": f"?sv=2024-11-04&sig={signature}"}
        )

    def deliver(self):
        for key in (DAY, NEXT):
            self.bucket.put(f"facts/{key}.jsonl", "".join(json.dumps(row) + "\n" for row in of_day(key)).encode())

    def flood(self):
        self.bucket.put(f"facts/{DAY}.jsonl", b"x" * 100_001)


class FilesInGoogle(FilesInAzure):
    """The same, listed as Google does; its tokens come from Google, so here it is the server that shuts."""

    absent = Found(DAY, "gs://facts/facts/nothing.jsonl")

    def __init__(self, folder, bucket, port):
        super().__init__(folder, bucket, port)
        bucket.signature = ""

    def settings(self):
        return {**super().settings(), "path": "gs://facts/facts/{partition}.jsonl"}

    def open(self):
        key = {"gcs_base_url": f"http://127.0.0.1:{self.port}", "disable_oauth": True, "client_email": LOGIN}
        extra = {"keyfile_dict": {**key, "private_key": SECRET, "private_key_id": "1"}}
        return Connection("there", "google_cloud_platform", extra=extra)

    def shut(self):
        self.bucket.closed = True
        return self.open()


class Python(Stand):
    code = """
        from datetime import datetime
        import pyarrow as pa
        from updraft.errors import SourceClosed

        ROWS = {rows!r}

        def rows(start, end, connection):
            if connection.password != {secret!r}:
                raise connection.closed(f"not with {{connection.password}}")
            while {flood}:
                yield pa.table({{"id": range(1000)}})
            for row in ROWS:
                at = datetime.fromisoformat(row["at"])
                if start <= at < end:
                    yield pa.Table.from_pylist([{{**row, "at": at}}])
    """

    def settings(self):
        return {"python": {"call": "source.py:rows", "connection": "there"}}

    def open(self):
        return Connection("there", login=LOGIN, password=SECRET)

    def shut(self):
        return Connection("there", login=LOGIN, password="another-secret")

    def _write(self, **how):
        told = {"rows": [], "secret": SECRET, "flood": False, **how}
        lines = [line[8:] for line in self.code.splitlines()]
        (self.folder / "source.py").write_text("\n".join(lines).format(**told))

    def deliver(self):
        self._write(rows=ROWS)

    def flood(self):
        self._write(flood=True)


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


STANDS = {"files": _files, "http": _http, "python": _python, "s3": _s3, "sql": _sql}
STANDS |= {
    "files-url": _files_url,
    "files-s3": _files_s3,
    "files-az": _in(FilesInAzure),
    "files-gs": _in(FilesInGoogle),
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

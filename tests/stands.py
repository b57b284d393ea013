"""Both sides of a source, for every kind that needs no object store: how a spec reads it, and how it is filled."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests import postgres
from tests.inbox import put

from updraft.sources import Connection, Found

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

    def _put(self, key, text):
        return put(self.inbox / f"facts/{key}.jsonl", text)

    def deliver(self):
        for key in (DAY, NEXT):
            self._put(key, "".join(json.dumps(row) + "\n" for row in of_day(key)))

    def flood(self):
        with self._put(DAY, "").open("wb") as file:
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

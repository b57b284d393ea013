"""DuckDB over the lake, as of a moment: a query sees what was known then, and nothing else is there to see.

Each source appears as a table named after it, holding per key the newest version known at the moment, and nothing of a
key whose newest version says that it is gone. One more table, `this_partition`, has one row: `key`, `starts_at`,
`ends_at`, `as_of`. A shared feature set appears as a table too, with the rows computed for the same partition. Tables
are materialised in the order in which partitions could first see their rows, those of one partition in the order of
their keys, and each query runs on one thread: equal knowledge gives equal bytes, however it was delivered and however
many partitions are computed at a time.
"""

import os
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from queue import SimpleQueue
from types import TracebackType
from typing import TYPE_CHECKING, Self

import pyarrow as pa

from updraft.errors import FeaturesInvalid
from updraft.lake import Lake
from updraft.lake.tables import same_types
from updraft.partition import Calendar, Partition, calendar
from updraft.query import THIS_PARTITION, columns_by_source, shared_of, sources_of
from updraft.rows import ARROW, Rows, aligned, quoted
from updraft.settings import Settings
from updraft.spec.model import UseCase
from updraft.spec.shared import as_case
from updraft.spec.sources import Source

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Which = str  # `features`, `label`, or the name of a shared feature set
Without = Mapping[str, Callable[[Rows], Rows]]  # per source, what takes raw rows out
_ORIGIN = ("delivery", "row", "partition")  # of several versions known at the same moment, the last by these counts
_RAW = "delivered"  # schema of the rows as delivered; queries may name no schema, so they cannot reach it

STAMP = pa.timestamp("us", "UTC")
GONE = "gone"
AT_A_TIME = min(4, os.cpu_count() or 1)  # partitions computed at once; each has its sources in memory


def raw_table(case: UseCase, source: str) -> str:
    """Name of the raw table of a source."""
    return f"raw/{case.name}/{source}"


def shared_table(name: str) -> str:
    """Name of the table of a shared feature set."""
    return f"shared/{name}"


def raw_schema(source: Source) -> pa.Schema:
    """Columns of a raw table: the source's own, then when, from where, and whether the fact is gone."""
    own = [pa.field(name, ARROW[column.type]) for name, column in source.stored().columns.items()]
    stamps = [pa.field("event_time", STAMP), pa.field("known_at", STAMP)]
    origin = [pa.field("delivery", pa.string()), pa.field("row", pa.int64()), pa.field("partition", pa.string())]
    marker = [pa.field(GONE, pa.bool_())] if source.deletes else []
    return pa.schema([*own, *stamps, *origin, *marker])


def built_table(case: UseCase, which: Which) -> str:
    """Name of the table of features, of labels, or of a shared feature set."""
    own = {"features": f"features/{case.name}", "label": f"labels/{case.name}"}
    return own.get(which) or shared_table(which)


class History:
    """What a span of partitions could have known, loaded once; asked one moment at a time.

    :param first: Earliest partition that will be asked about.
    :param latest: Latest moment that will be asked about.
    :param which: The query of the use case that will run; only the sources it names are loaded.

    `facts` says, by partition asked about, how many facts of the source that `contract.coverage` names happen in it.
    :param without: Takes out raw rows that are not to be seen, by the name of their source.
    """

    def __init__(
        self, lake: Lake, case: UseCase, which: Which,
        *, first: Partition, latest: datetime, without: Without | None = None,
    ) -> None:  # fmt: skip
        self._lake, self._case, self._sql = lake, case, case.sql(which)
        where = f"{which}.sql of {case.name}"
        self.sources = sources_of(case, self._sql, where)
        self.shared = shared_of(case, self._sql, where)
        self._columns = columns_by_source(case, self._sql, where)
        self._counted = case.contract.coverage.of if case.contract.coverage and which != "label" else None
        if self._counted:
            self.sources = sorted({*self.sources, self._counted})
            self._columns[self._counted] = self._columns.get(self._counted, frozenset()) | {"event_time"}
        self.facts: dict[str, int] = {}
        self._first, self._latest, self._without = first, latest, without or {}
        self._calendar: Calendar = calendar(case)
        self.versions: dict[str, int] = {}
        self._days: dict[timedelta | None, list[str]] = {}  # by how far back a source is looked
        self._corrected: set[str] = set()  # sources of which a key was loaded in several versions

    def __enter__(self) -> Self:
        import duckdb

        self._db = duckdb.connect(config={"threads": AT_A_TIME, "python_enable_replacements": False})
        Settings.from_env().hold(self._db)
        self._db.execute("SET TimeZone = ?", [self._case.partitions.timezone])
        self._db.execute(f"CREATE SCHEMA {_RAW}")
        for name in self.sources:
            self._load(name, self._case.sources[name])
        for name in self.shared:
            self._load_shared(name)
        self._idle: SimpleQueue[DuckDBPyConnection] = SimpleQueue()
        for _ in range(AT_A_TIME):
            cursor = self._db.cursor()
            cursor.execute("SET TimeZone = ?", [self._case.partitions.timezone])
            self._idle.put(cursor)
        self._db.execute("SET threads = 1")  # more would change the order of rows, and with it the last bits of sums
        # From here on the query can reach neither files nor settings, only what was loaded.
        self._db.execute("SET enable_external_access = false")
        self._db.execute("SET lock_configuration = true")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        while not self._idle.empty():
            self._idle.get().close()
        self._db.close()

    def ask_each(self, asked: Sequence[tuple[Partition, datetime]]) -> Iterator[Rows]:
        """Run the query for each partition as of its moment, some at a time; the answers come in the order asked."""
        running: deque[Future[Rows]] = deque()
        with ThreadPoolExecutor(AT_A_TIME) as pool:
            for partition, moment in asked:
                running.append(pool.submit(self.ask, partition, moment))
                if len(running) > AT_A_TIME:  # else all answers would wait in memory at once
                    yield running.popleft().result()
            while running:
                yield running.popleft().result()

    def ask(self, partition: Partition, moment: datetime) -> Rows:
        """Run the query for `partition` as of `moment`.

        :raises FeaturesInvalid: If DuckDB refuses the query.
        """
        import duckdb

        with self._connection() as db:
            self._show_all(db, partition, moment)
            if self._counted:
                self.facts[partition.key] = _happening(db, self._counted, partition)
            try:
                return db.sql(self._sql).to_arrow_table()
            except duckdb.Error as refused:
                raise FeaturesInvalid(
                    f"The SQL of {self._case.name} failed for {partition}: {str(refused)[:500]}",
                    next_step="mend the query, then run the stage again.",
                ) from refused

    @contextmanager
    def _connection(self) -> "Iterator[DuckDBPyConnection]":
        """One of the connections, each of which has temporary tables of its own."""
        db = self._idle.get()
        try:
            yield db
        finally:
            self._idle.put(db)

    def _load(self, name: str, source: Source) -> None:
        table, needed = raw_table(self._case, name), self._needed(name, source)
        rows = self._lake.read(table, self._delivered(source), needed.names)
        self.versions[table] = -1 if rows is None else self._lake.version(table) or 0
        same_types(table, None if rows is None else rows.schema, needed)
        seen = aligned(rows, needed)
        seen = self._in_turn(source, self._without[name](seen) if name in self._without else seen)
        # Where each key has one version, nothing asks which of several came last.
        self._create(name, source, seen.drop_columns(list(_ORIGIN)))
        keys = ", ".join(map(quoted, source.key))
        again = f"SELECT 1 FROM {_RAW}.{quoted(name)} GROUP BY {keys} HAVING count(*) > 1 LIMIT 1"  # noqa: S608 - validated names
        if self._db.execute(again).fetchall():
            self._corrected.add(name)
            self._create(name, source, seen, f", count(*) OVER (PARTITION BY {keys}) > 1 AS _several")

    def _create(self, name: str, source: Source, rows: Rows, more: str = "") -> None:
        """Make the table of a source's raw rows; what is seen together lies together, in the order it is shown."""
        self._db.register("incoming", rows)
        order = ", ".join(["_turn", *map(quoted, source.key)])
        self._db.execute(
            f"CREATE OR REPLACE TABLE {_RAW}.{quoted(name)} AS SELECT *{more} FROM incoming ORDER BY {order}"  # noqa: S608 - validated names
        )
        self._db.unregister("incoming")

    def _in_turn(self, source: Source, rows: Rows) -> Rows:
        """Rows with the place of their delivery, `_day`, and of the partition that could first see them, `_turn`."""
        import numpy as np

        keys = self._delivered(source)
        moments = np.array([self._calendar.at(key).as_of.replace(tzinfo=None) for key in keys], "datetime64[us]")
        origin = rows["partition"].combine_chunks().dictionary_encode()
        places = np.array([bisect_left(keys, key) for key in origin.dictionary.to_pylist()], np.int32)
        days = places[origin.indices.to_numpy(zero_copy_only=False)] if len(rows) else places
        known = rows["known_at"].to_numpy().astype("datetime64[us]")
        turns = np.maximum(np.searchsorted(moments, known).astype(np.int32), days)
        return rows.append_column("_day", pa.array(days)).append_column("_turn", pa.array(turns))

    def _load_shared(self, name: str) -> None:
        own = as_case(name, self._case.folder.parent)
        table, columns = shared_table(name), [*own.entity, *own.features, "partition"]
        keys = self._calendar.keys(
            self._first.key, self._calendar.containing(self._latest + self._calendar.lead_time).key
        )
        rows = self._lake.read(table, keys, columns)
        if rows is None:
            raise FeaturesInvalid(f"The shared feature set {name} was never built.", next_step="build the features.")
        self.versions[table] = self._lake.version(table) or 0
        self._db.register("incoming", rows)
        by = ", ".join(map(quoted, own.entity))
        self._db.execute(f"CREATE TABLE {_RAW}.{quoted(name)} AS SELECT * FROM incoming ORDER BY {by}, partition")  # noqa: S608
        self._db.unregister("incoming")

    def _needed(self, name: str, source: Source) -> pa.Schema:
        """Columns that tell which row is the newest, and those the query can tell are there."""
        stamps = {*source.key, "known_at", "delivery", "row", "partition", GONE}
        return pa.schema([f for f in raw_schema(source) if f.name in stamps | self._columns[name]])

    def _delivered(self, source: Source) -> Sequence[str]:
        """Delivery partitions that can matter, sorted, so that others are never opened."""
        if source.lookback not in self._days:
            last = self._calendar.last_visible(self._latest)
            self._days[source.lookback] = self._calendar.keys(
                self._calendar.back(self._first, source.lookback).key, last.key
            )
        return self._days[source.lookback]

    def _show_all(self, db: "DuckDBPyConnection", partition: Partition, moment: datetime) -> None:
        for name in self.sources:
            self._show(db, name, self._case.sources[name], partition, moment)
        for name in self.shared:
            db.execute(
                f"CREATE OR REPLACE TEMP TABLE {quoted(name)} AS SELECT * EXCLUDE (partition) "  # noqa: S608 - a validated name
                f"FROM {_RAW}.{quoted(name)} WHERE partition = ?",
                [partition.key],
            )
        db.execute(
            f"CREATE OR REPLACE TEMP TABLE {THIS_PARTITION} AS SELECT ?::VARCHAR AS key, "
            "?::TIMESTAMPTZ AS starts_at, ?::TIMESTAMPTZ AS ends_at, ?::TIMESTAMPTZ AS as_of",
            [partition.key, partition.start, partition.end, moment],
        )

    def _show(
        self, db: "DuckDBPyConnection", name: str, source: Source, partition: Partition, moment: datetime
    ) -> None:
        keys, raw = ", ".join(map(quoted, source.key)), f"{_RAW}.{quoted(name)}"
        own = source.stored().columns
        every = [*own, *(c for c in ("event_time",) if c not in own), "known_at"]
        # A query that names no column counts rows at most, and rows need a column to be there.
        shown = ", ".join(quoted(c) for c in every if c in self._columns[name]) or keys
        known = "known_at <= $at AND _day BETWEEN $oldest AND $newest"
        last = f"arg_max(rowid, (known_at, {', '.join(_ORIGIN)}))"
        newest = f"rowid IN (SELECT {last} FROM {raw} WHERE _several AND {known} GROUP BY {keys})"  # noqa: S608
        only = f"AND (NOT _several OR {newest})" if name in self._corrected else ""
        there = f"AND {GONE} IS NOT TRUE" if source.deletes else ""
        days = self._delivered(source)
        db.execute(
            f"CREATE OR REPLACE TEMP TABLE {quoted(name)} AS SELECT {shown} FROM {raw} WHERE {known} {only} {there}",  # noqa: S608 - validated names
            {
                "at": moment,
                "oldest": bisect_left(days, self._calendar.back(partition, source.lookback).key),
                "newest": bisect_right(days, self._calendar.last_visible(moment).key) - 1,
            },
        )


def _happening(db: "DuckDBPyConnection", name: str, partition: Partition) -> int:
    """Facts that a source's view holds of a partition."""
    span = [partition.start, partition.end]
    found = db.execute(f"SELECT count(*) FROM {quoted(name)} WHERE event_time >= ? AND event_time < ?", span)  # noqa: S608 - a validated name
    return int(found.fetchall()[0][0])


def newest(source: Source) -> str:
    """Condition on a raw row, in SQL: it is the newest version of its key, and does not say that it is gone."""
    keys = ", ".join(map(quoted, source.key))
    there = f" AND {GONE} IS NOT TRUE" if source.deletes else ""
    return f"row_number() OVER (PARTITION BY {keys} ORDER BY known_at DESC, delivery DESC, row DESC) = 1{there}"

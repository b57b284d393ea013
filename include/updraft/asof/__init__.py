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

from updraft.asof.loading import AGAIN, Loading, hashed
from updraft.asof.raw import GONE, STAMP, Turns, raw_schema, raw_table
from updraft.errors import FeaturesInvalid
from updraft.lake import Lake
from updraft.lake.tables import same_types
from updraft.partition import Calendar, Partition, calendar
from updraft.query import THIS_PARTITION, columns_by_source, shared_of, sources_of
from updraft.rows import Rows, plain, quoted
from updraft.settings import Settings
from updraft.spec.model import UseCase
from updraft.spec.shared import as_case
from updraft.spec.sources import Source

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

__all__ = [
    "AT_A_TIME",
    "GONE",
    "STAMP",
    "History",
    "Which",
    "Without",
    "built_table",
    "newest",
    "raw_schema",
    "raw_table",
    "shared_table",
]

Which = str  # `features`, `label`, or the name of a shared feature set
Without = Mapping[str, Callable[[Rows], Rows]]  # per source, what takes raw rows out
_ORIGIN = ("delivery", "row", "_day")  # of several versions known at the same moment, the last by these counts
_RAW = "delivered"  # schema of the rows as delivered; queries may name no schema, so they cannot reach it
AT_A_TIME = min(4, os.cpu_count() or 1)  # partitions computed at once; each has its sources in memory


def shared_table(name: str) -> str:
    """Name of the table of a shared feature set."""
    return f"shared/{name}"


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
        # Still, for what is read in several parts must be of one version.
        self._lake, self._case, self._sql = lake.still(), case, case.sql(which)
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

        settings = Settings.from_env()
        if settings.memory:  # of Arrow's pools this is the one that gives back what it does not use
            pa.set_memory_pool(pa.system_memory_pool())
        self._db = duckdb.connect(config={"threads": AT_A_TIME, "python_enable_replacements": False})
        settings.hold(self._db)
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

    def values(self) -> int:
        """How many values a loading reads, known before anything is read."""
        found = 0
        for name in self.sources:
            source, counts = self._case.sources[name], self._lake.counts(raw_table(self._case, name))
            found += len(self._needed(name, source)) * sum(counts.get(day, 0) for day in self._delivered(source))
        return found

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
        """Make the table of a source's raw rows; what is seen together lies together, in the order it is shown."""
        table, days, needed = raw_table(self._case, name), self._delivered(source), self._needed(name, source)
        self.versions[table], stored = self._lake.shape(table) or (-1, None)
        same_types(table, stored, needed)
        loading = Loading(self._db, self._lake, table, days, needed)
        without, turns = self._without.get(name), Turns(days, [self._calendar.at(day).as_of for day in days])
        kept = {**dict.fromkeys(self._shown(name, source)), "known_at": None, "_day": None}
        if source.deletes:
            kept[GONE] = None
        select = ", ".join(map(quoted, kept))
        if loading.several(source.key):  # else nothing asks which of several versions came last
            self._corrected.add(name)
            kept |= dict.fromkeys([*source.key, *_ORIGIN])
            select = f"{', '.join(map(quoted, kept))}, {hashed(source.key)} IN (FROM {AGAIN}) AS _several"
        read = needed.names if without else [n for n in needed.names if n in {*kept, *source.key, "partition"}]
        # `_turn` is the place of the partition that could first see a row.
        order = ", ".join(["_turn", *map(quoted, source.key)])
        loading.into(
            f"{_RAW}.{quoted(name)}", read, select, order=f"ORDER BY {order}",
            change=lambda rows, last: turns(without(rows) if without else rows, last),
        )  # fmt: skip

    def _load_shared(self, name: str) -> None:
        own = as_case(name, self._case.folder.parent)
        table, columns = shared_table(name), [*own.entity, *own.features, "partition"]
        keys = self._calendar.keys(
            self._first.key, self._calendar.containing(self._latest + self._calendar.lead_time).key
        )
        shape = self._lake.shape(table)
        if shape is None:
            raise FeaturesInvalid(f"The shared feature set {name} was never built.", next_step="build the features.")
        self.versions[table], stored = shape
        there = pa.schema([field for field in plain(stored) if field.name in columns])
        by = ", ".join(map(quoted, own.entity))
        loading = Loading(self._db, self._lake, table, keys, there)
        loading.into(f"{_RAW}.{quoted(name)}", there.names, "*", order=f"ORDER BY partition, {by}")

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

    def _shown(self, name: str, source: Source) -> list[str]:
        """Columns of a source's view, in their order."""
        own = source.stored().columns
        every = [*own, *(c for c in ("event_time",) if c not in own), "known_at"]
        # A query that names no column counts rows at most, and rows need a column to be there.
        return [c for c in every if c in self._columns[name]] or list(source.key)

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
        shown = ", ".join(map(quoted, self._shown(name, source)))
        # `_day` is the place of a row's delivery: none from before the look back is seen, and none that came later.
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

"""DuckDB over the lake, as of a moment: a query sees what was known then, and nothing else is there to see.

Each source appears as a table named after it, holding per key the newest version known at the moment. One more
table, `this_partition`, has one row: `key`, `starts_at`, `ends_at`, `as_of`. Tables are materialised in the order of
their keys and queries run on one thread, so equal knowledge gives equal bytes, however it was delivered.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import Literal, Self

import pyarrow as pa

from updraft.errors import FeaturesInvalid
from updraft.lake import Lake
from updraft.partition import Calendar, Partition, calendar
from updraft.query import THIS_PARTITION, sources_of
from updraft.rows import Rows
from updraft.spec.model import UseCase
from updraft.spec.sources import Source

Which = Literal["features", "label"]
_RAW = "delivered"  # schema of the rows as delivered; queries may name no schema, so they cannot reach it

ARROW = {
    "string": pa.string(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "timestamp": pa.timestamp("us", "UTC"),
}
STAMP = pa.timestamp("us", "UTC")


def raw_table(case: UseCase, source: str) -> str:
    """Name of the raw table of a source."""
    return f"raw/{case.name}/{source}"


def raw_schema(source: Source) -> pa.Schema:
    """Columns of a raw table: the source's own, then when, from which delivery and which row of it."""
    own = [pa.field(name, ARROW[column.type]) for name, column in source.stored().columns.items()]
    stamps = [pa.field("event_time", STAMP), pa.field("known_at", STAMP)]
    origin = [pa.field("delivery", pa.string()), pa.field("row", pa.int64()), pa.field("partition", pa.string())]
    return pa.schema([*own, *stamps, *origin])


class History:
    """What a span of partitions could have known, loaded once; asked one moment at a time.

    :param first: Earliest partition that will be asked about.
    :param latest: Latest moment that will be asked about.
    :param which: The query of the use case that will run; only the sources it names are loaded.
    """

    def __init__(self, lake: Lake, case: UseCase, which: Which, *, first: Partition, latest: datetime) -> None:
        self._lake, self._case, self._sql = lake, case, case.sql(which)
        self.sources = sources_of(case, self._sql, f"{which}.sql of {case.name}")
        self._first, self._latest = first, latest
        self._calendar: Calendar = calendar(case)
        self.versions: dict[str, int] = {}

    def __enter__(self) -> Self:
        import duckdb

        self._db = duckdb.connect(config={"threads": 1, "python_enable_replacements": False})
        self._db.execute("SET TimeZone = ?", [self._case.partitions.timezone])
        self._db.execute(f"CREATE SCHEMA {_RAW}")
        for name in self.sources:
            self._load(name, self._case.sources[name])
        # From here on the query can reach neither files nor settings, only what was loaded.
        self._db.execute("SET enable_external_access = false")
        self._db.execute("SET lock_configuration = true")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._db.close()

    def ask(self, partition: Partition, moment: datetime) -> Rows:
        """Run the query for `partition` as of `moment`.

        :raises FeaturesInvalid: If DuckDB refuses the query.
        """
        import duckdb

        for name in self.sources:
            self._show(name, self._case.sources[name], partition, moment)
        self._db.execute(
            f"CREATE OR REPLACE TEMP TABLE {THIS_PARTITION} AS SELECT ?::VARCHAR AS key, ?::TIMESTAMPTZ AS starts_at, "
            "?::TIMESTAMPTZ AS ends_at, ?::TIMESTAMPTZ AS as_of",
            [partition.key, partition.start, partition.end, moment],
        )
        try:
            return self._db.sql(self._sql).to_arrow_table()
        except duckdb.Error as refused:
            raise FeaturesInvalid(
                f"The SQL of {self._case.name} failed for {partition}: {str(refused)[:500]}",
                next_step="mend the query, then run the stage again.",
            ) from refused

    def _load(self, name: str, source: Source) -> None:
        table = raw_table(self._case, name)
        keys = self._delivered(source)
        rows = self._lake.read(table, keys)
        self.versions[table] = -1 if rows is None else self._lake.version(table) or 0
        self._db.register("incoming", aligned(rows, raw_schema(source)))
        self._db.execute(f"CREATE TABLE {_RAW}.{_quoted(name)} AS SELECT * FROM incoming")  # noqa: S608 - a validated name
        self._db.unregister("incoming")

    def _delivered(self, source: Source) -> Sequence[str]:
        """Delivery partitions that can matter, so that others are never opened."""
        last = self._calendar.last_visible(self._latest)
        return self._calendar.keys(self._oldest(source, self._first).key, last.key)

    def _oldest(self, source: Source, partition: Partition) -> Partition:
        first = self._calendar.first
        if source.lookback is None or partition.start - source.lookback <= first.start:
            return first
        return self._calendar.containing(partition.start - source.lookback)

    def _show(self, name: str, source: Source, partition: Partition, moment: datetime) -> None:
        keys = ", ".join(map(_quoted, source.key))
        own = source.stored().columns
        columns = ", ".join(map(_quoted, [*own, *(c for c in ("event_time",) if c not in own)]))
        self._db.execute(
            f"CREATE OR REPLACE TEMP TABLE {_quoted(name)} AS SELECT {columns}, known_at "  # noqa: S608 - validated names
            f"FROM {_RAW}.{_quoted(name)} "
            "WHERE known_at <= ? AND partition BETWEEN ? AND ? "
            f"QUALIFY row_number() OVER (PARTITION BY {keys} ORDER BY known_at DESC, delivery DESC, row DESC) = 1 "
            f"ORDER BY {keys}",
            [moment, self._oldest(source, partition).key, self._calendar.last_visible(moment).key],
        )


def aligned(rows: Rows | None, schema: pa.Schema) -> Rows:
    """Rows with exactly the columns of `schema`; a column they lack is null, so old rows outlive new columns."""
    if rows is None:
        return schema.empty_table()
    have: Mapping[str, pa.ChunkedArray] = {n: rows[n] for n in rows.column_names}
    return pa.table(
        [have[f.name].cast(f.type) if f.name in have else pa.nulls(len(rows), f.type) for f in schema], schema=schema
    )


def _quoted(identifier: str) -> str:
    return '"' + identifier.replace('"', '""') + '"'

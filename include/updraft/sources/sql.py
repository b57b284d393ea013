"""Rows of a query, from any database that SQLAlchemy speaks to.

The query is asked once its window is past, in a transaction that only reads, and read through a cursor on the server,
some thousands of rows at a time. In PostgreSQL the session's time zone is UTC. SQLite has no times: there `:start` and
`:end` are text such as `2013-04-01 00:00:00`, to be compared with `datetime(column)`.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, InterfaceError, NoSuchModuleError, OperationalError

from updraft.errors import DeliveryRefused, SpecInvalid, UpdraftError
from updraft.sources import Connection, Found, Site
from updraft.sources.reach import window, written
from updraft.sources.reach.window import Window
from updraft.spec.kinds import Sql
from updraft.spec.sources import Column, Source

_CHUNK = 5_000  # rows held as Python objects at a time
_ON_THE_SERVER = {"stream_results": True, "max_row_buffer": _CHUNK}
_DRIVERS = {"postgres": "postgresql+psycopg", "mysql": "mysql+pymysql"}
_CLOSED = re.compile(r"authentication failed|no password supplied|access denied|permission denied|login failed", re.I)
_WRONG = re.compile(r"no such (table|column|function)|syntax error|readonly", re.I)
_TYPES: dict[str, pa.DataType] = {
    "string": pa.string(), "integer": pa.int64(), "number": pa.float64(), "boolean": pa.bool_(),
}  # fmt: skip


def find(source: Source, partitions: Sequence[str], site: Site) -> list[Found]:
    """A delivery for each partition whose window is past."""
    return window.past(_asked(source), partitions, site, _asked(source).connection)


def fetch(source: Source, found: Found, site: Site, into: IO[bytes]) -> None:
    """Write the rows of the query, as Parquet.

    :raises DeliveryMissing: If the window is not past.
    :raises SourceClosed: If the database does not let the connection in.
    :raises SourceUnavailable: If it does not answer.
    :raises SpecInvalid: If it does not understand the query.
    :raises DeliveryRefused: If values are not of their declared types, or the rows exceed the caps.
    """
    asked = _asked(source)
    span = window.asked_for(asked, found, site)
    connection = site.connections(asked.connection)
    with _translated(connection):
        engine = _engine(connection)
        try:
            into.write(written.parquet(_batches(engine, asked, span, source), source, found.origin))
        finally:
            engine.dispose()


def _asked(source: Source) -> Sql:
    assert source.sql is not None  # the spec sees to it
    return source.sql


def url(connection: Connection) -> sa.URL:
    """SQLAlchemy's URL of a connection; extras become its query, except `sqlalchemy_scheme`, which names the driver."""
    extra = {name: str(value) for name, value in connection.extra.items() if isinstance(value, (str, int, float))}
    driver = extra.pop("sqlalchemy_scheme", "") or _DRIVERS.get(connection.kind, connection.kind)
    if driver.split("+")[0] == "sqlite":
        file = Path(connection.host or connection.schema)
        # Opened by URI, or SQLite would make a file that is not there.
        return sa.URL.create(driver, database=f"file:{file}", query={**extra, "mode": "ro", "uri": "true"})
    entry = {"username": connection.login or None, "password": connection.password or None}
    place = {"host": connection.host or None, "port": connection.port, "database": connection.schema or None}
    return sa.URL.create(driver, **entry, **place, query=extra)  # type: ignore[arg-type]


def _engine(connection: Connection) -> sa.Engine:
    try:
        return sa.create_engine(url(connection), poolclass=sa.NullPool, hide_parameters=True)
    except (ArgumentError, NoSuchModuleError, ImportError) as unknown:
        raise SpecInvalid(
            f"SQLAlchemy has no driver for the connection {connection.id!r} of type {connection.kind!r}.",
            next_step="install the driver, or name it in the connection's extra as `sqlalchemy_scheme`.",
        ) from unknown


@contextmanager
def _translated(connection: Connection) -> Iterator[None]:
    """Turn the faults of a database into errors of Updraft that hold no secret."""
    try:
        yield
    except UpdraftError:
        raise
    except DBAPIError as fault:
        said = connection.hidden(fault.orig)
        state = str(getattr(fault.orig, "sqlstate", None) or "")
        if state.startswith("28") or state == "42501" or _CLOSED.search(said):
            raise connection.closed(said) from fault
        if isinstance(fault, DataError):
            raise DeliveryRefused(
                f"The query meets a value that cannot be read: {said}.",
                next_step="leave it out, or cast it in the query.",
            ) from fault
        # Operational faults may pass; SQLite calls everything operational.
        if not isinstance(fault, (OperationalError, InterfaceError)) or _WRONG.search(said):
            raise SpecInvalid(
                f"The database behind {connection.id!r} does not understand the query: {said}.",
                next_step="correct `sql.query` in spec.yaml.",
            ) from fault
        raise connection.silent(said) from fault


def _batches(engine: sa.Engine, asked: Sql, span: Window, source: Source) -> Iterator[pa.Table]:
    with engine.connect() as link:
        bound: dict[str, Any] = {"start": span.start, "end": span.end}
        if engine.dialect.name == "postgresql":
            link.exec_driver_sql("SET TRANSACTION READ ONLY")
            link.exec_driver_sql("SET LOCAL TIME ZONE 'UTC'")
        elif engine.dialect.name == "sqlite":
            bound = {name: moment.strftime("%Y-%m-%d %H:%M:%S") for name, moment in bound.items()}
        result = link.execute(sa.text(asked.query), bound, execution_options=_ON_THE_SERVER)
        names = list(result.keys())
        for rows in result.partitions(_CHUNK):
            yield _table(names, list(zip(*rows, strict=True)), source)
        yield _table(names, [() for _ in names], source)  # a result without rows has columns all the same


def _table(names: list[str], columns: Sequence[Sequence[Any]], source: Source) -> pa.Table:
    """Rows as Arrow, by the declared types; of undeclared columns only the names."""
    if twice := {name for name in names if names.count(name) > 1}:
        raise DeliveryRefused(
            f"The query gives columns twice: {', '.join(sorted(twice)[:10])}.", next_step="give each a name of its own."
        )
    made = {
        name: _array(name, values, source.columns[name]) if name in source.columns else pa.nulls(len(values))
        for name, values in zip(names, columns, strict=True)
    }
    return pa.table(made)


def _array(name: str, values: Sequence[Any], declared: Column) -> pa.Array:
    try:
        if declared.type == "timestamp":
            return _moments([_moment(value) for value in values], declared)
        return pa.array([_value(value, declared.type) for value in values], _TYPES[declared.type])
    except (pa.ArrowException, AttributeError, TypeError, ValueError, OverflowError) as unfit:
        raise DeliveryRefused(
            f"The query gives values for {name!r} that are not of the declared type {declared.type}.",
            next_step="cast the column in the query, or change `columns` in spec.yaml.",
        ) from unfit


def _moments(values: Sequence[datetime | None], declared: Column) -> pa.Array:
    """Moments in UTC; or wall-clock times, which the decoder reads in the declared zone."""
    zoned = {value.tzinfo is not None for value in values if value is not None}
    if not zoned:
        return pa.nulls(len(values))
    if zoned == {True, False} or (zoned == {False} and declared.timezone is None):
        raise ValueError("a time without a zone, and the spec declares no `timezone` for it")
    return pa.array(values, pa.timestamp("us", "UTC") if zoned == {True} else pa.timestamp("us"))


def _moment(value: Any) -> datetime | None:
    if isinstance(value, str):
        return datetime.fromisoformat(value)
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day)
    return value


def _value(value: Any, declared: str) -> Any:
    if isinstance(value, Decimal):
        return float(value) if declared == "number" else _whole(value)
    if declared == "boolean" and value in (0, 1):
        return bool(value)
    if declared == "string" and value is not None and not isinstance(value, (str, bytes)):
        return str(value)  # UUIDs, enumerations, numbers that are names
    return value


def _whole(value: Decimal) -> int:
    if value != value.to_integral_value():
        raise ValueError("not a whole number")
    return int(value)

"""Queries, against a PostgreSQL of the tests' own."""

import resource
from datetime import UTC, datetime
from functools import partial

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests import postgres
from tests.queried import COLUMNS, DAY, QUERY, at, declared, fetch, rows

from updraft.errors import DeliveryRefused, SourceClosed, SourceUnavailable, SpecInvalid
from updraft.sources import Connection


@pytest.fixture
def declare(make_case):
    return partial(declared, make_case)


@pytest.fixture(scope="module")
def server():
    with postgres.cluster() as running:
        yield running


@pytest.fixture
def database(server):
    """The server, with an empty schema."""
    server.run("DROP SCHEMA public CASCADE", "CREATE SCHEMA public")
    return server


def on(server, **changes):
    place = {"host": "127.0.0.1", "port": server.port, "schema": "postgres"}
    entry = {"login": postgres.OWNER, "password": postgres.PASSWORD}
    return Connection("warehouse", "postgres", **{**place, **entry, **changes})


TABLE = "CREATE TABLE facts (id uuid, amount numeric, happened_at timestamptz, local timestamp, day date, n bigint)"
ONE = (
    "INSERT INTO facts VALUES ('00000000-0000-0000-0000-00000000000{0}', {0}.5, '{1}', "
    "'2024-07-02 01:30', '2024-01-02', {0})"
)


@pytest.mark.slow
def test_every_type_of_postgres_comes_as_declared(declare, database):
    database.run(TABLE, ONE.format(1, f"{DAY} 23:30:00-00:10"), ONE.format(2, "2024-01-03 00:30:00+01"))
    columns = {
        **COLUMNS,
        "happened_at": {"type": "timestamp"},
        "local": {"type": "timestamp", "timezone": "Europe/Berlin"},
        "day": {"type": "timestamp", "timezone": "UTC"},
        "n": {"type": "integer"},
        "odd": {"type": "boolean"},
    }
    case = declare(QUERY.replace("SELECT id", "SELECT id, local, day, n, n % 2 = 1 AS odd"), columns)
    first, second = rows(case, on(database))
    assert first == {
        "id": "00000000-0000-0000-0000-000000000001",
        "amount": 1.5,
        "happened_at": at(2, 23).replace(minute=40),
        "local": datetime(2024, 7, 1, 23, 30, tzinfo=UTC),
        "day": at(2),
        "n": 1,
        "odd": True,
    }
    assert (second["happened_at"], second["odd"]) == (at(2, 23).replace(minute=30), False)


@pytest.mark.slow
def test_bounds_are_moments_whatever_zone_the_server_is_in(declare, database):
    database.run(TABLE, ONE.format(1, f"{DAY} 00:00:00+00"), "ALTER ROLE owner SET timezone TO 'Asia/Tokyo'")
    try:
        named = QUERY.replace("happened_at >=", "(happened_at AT TIME ZONE current_setting('timezone')) >=")
        assert len(rows(declare(QUERY), on(database))) == 1
        assert len(rows(declare(named), on(database))) == 1, "the session is in UTC"
    finally:
        database.run("ALTER ROLE owner RESET timezone")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("query", "changes", "error", "said"),
    [
        pytest.param(QUERY, {"password": "wrong-secret"}, SourceClosed, "authentication failed", id="password"),
        pytest.param(QUERY, {"login": "reader", "password": "reader-secret"}, SourceClosed, "denied", id="rights"),
        pytest.param(QUERY, {"port": 1}, SourceUnavailable, "did not answer", id="nobody there"),
        pytest.param(QUERY, {"schema": "none"}, SourceUnavailable, "does not exist", id="no such database"),
        pytest.param("SELECT idd FROM facts WHERE :start < :end", {}, SpecInvalid, "idd", id="no such column"),
        pytest.param("DELETE FROM facts WHERE :start < :end RETURNING *", {}, SpecInvalid, "", id="a query only reads"),
        pytest.param("WITH gone AS (DELETE FROM facts RETURNING *) SELECT * FROM gone WHERE :start < :end", {},
                     SpecInvalid, "", id="whatever way it is written"),
        pytest.param("SELECT pg_terminate_backend(pg_backend_pid()), :start, :end", {}, SourceUnavailable,
                     "did not answer", id="cut off in the middle"),
    ],
)  # fmt: skip
def test_a_database_that_does_not_answer_is_told_from_one_that_refuses(declare, database, query, changes, error, said):
    reader = "CREATE ROLE reader LOGIN PASSWORD 'reader-secret'"
    database.run(TABLE, "GRANT USAGE ON SCHEMA public TO public", "DROP ROLE IF EXISTS reader", reader)
    with pytest.raises(error, match=f"warehouse.*{said}") as failure:
        fetch(declare(query), on(database, **changes))
    assert "secret" not in str(failure.value)


@pytest.mark.slow
@pytest.mark.parametrize("value", ["timestamptz 'infinity'", "timestamptz '20000-01-01Z'", "to_timestamp(1 / 0)"])
def test_a_value_that_no_one_can_read_is_refused(declare, database, value):
    case = declare(f"SELECT 'x' AS id, {value} AS happened_at, 1.0 AS amount WHERE :start < CAST(:end AS timestamptz)")
    with pytest.raises(DeliveryRefused, match="cannot be read"):
        fetch(case, on(database))


@pytest.mark.slow
def test_a_large_result_is_read_in_pieces(declare, database):
    database.run(
        "CREATE TABLE facts AS SELECT n::text AS id, n::float8 AS amount, timestamptz '2024-01-02Z' AS happened_at "
        "FROM generate_series(1, 300000) n"
    )
    fetch(declare("SELECT * FROM facts WHERE happened_at >= :start AND happened_at < :end LIMIT 10"), on(database))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    data = fetch(declare(), on(database))
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert pq.ParquetFile(pa.BufferReader(data)).metadata.num_rows == 300_000
    assert grown < 80, f"{grown:.0f} MB"

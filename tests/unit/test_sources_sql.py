"""Queries, against SQLite in a file: bound to an interval, and the same bytes for the same rows."""

import sqlite3
from functools import partial

import pytest
from tests.queried import COLUMNS, DAY, FUTURE, at, declared, fetch, rows

from updraft import ingest, sources
from updraft.errors import DeliveryMissing, DeliveryRefused, SourceUnavailable, SpecInvalid
from updraft.sources import Connection, Found
from updraft.sources.decode import decode
from updraft.sources.sql import url
from updraft.spec.kinds import Sql


@pytest.fixture
def declare(make_case):
    return partial(declared, make_case)


@pytest.fixture
def lite(tmp_path):
    """A connection to a file with three rows, one per day, and what writes to it."""
    link = sqlite3.connect(tmp_path / "facts.db")
    link.execute("CREATE TABLE facts (id TEXT, amount REAL, happened_at TEXT)")
    link.executemany(
        "INSERT INTO facts VALUES (?, ?, ?)", [(f"d{d}", d / 2, f"2024-01-0{d} 05:00:00") for d in (3, 2, 1)]
    )
    link.commit()
    yield Connection("warehouse", "sqlite", host=str(tmp_path / "facts.db")), link
    link.close()


def test_a_query_is_bound_to_the_partition_s_interval(declare, lite):
    assert rows(declare(), lite[0]) == [{"id": "d2", "amount": 1.0, "happened_at": at(2, 5)}]


def test_rows_in_another_order_are_the_same_bytes(declare, lite):
    connection, link = lite
    everything = declare("SELECT * FROM facts WHERE :start <> :end")
    before = fetch(everything, connection)
    link.execute("CREATE TABLE again AS SELECT * FROM facts ORDER BY happened_at")
    link.execute("DROP TABLE facts")
    link.execute("ALTER TABLE again RENAME TO facts")
    link.commit()
    assert fetch(everything, connection) == before
    link.execute("UPDATE facts SET amount = 9 WHERE id = 'd1'")
    link.commit()
    assert fetch(everything, connection) != before


def test_a_query_without_rows_is_an_empty_delivery_with_columns(declare, lite):
    assert rows(declare(), lite[0], "2024-02-01") == []


def test_a_column_nobody_declared_is_known_by_its_name_alone(declare, lite):
    case = declare("SELECT *, 'secret' AS added FROM facts WHERE :start <> :end")
    found = decode(data := fetch(case, lite[0]), case.sources["facts"])
    assert found.extra == ("added",)
    assert b"secret" not in data


@pytest.mark.parametrize(
    ("query", "error", "said"),
    [
        pytest.param("SELECT id FROM facts WHERE :start <> :end", DeliveryRefused, "lacks 2 of 3", id="too few"),
        pytest.param("SELECT idd FROM facts WHERE :start <> :end", SpecInvalid, "no such column", id="unknown column"),
        pytest.param("SELECT * FROM fact WHERE :start <> :end", SpecInvalid, "no such table", id="unknown table"),
        pytest.param("SELEC :start, :end", SpecInvalid, "syntax error", id="no SQL"),
        pytest.param("SELECT id, id FROM facts WHERE :start <> :end", DeliveryRefused, "columns twice", id="twice"),
        pytest.param("SELECT id, 'x' AS amount, happened_at FROM facts WHERE :start <> :end", DeliveryRefused,
                     "'amount' that are not of the declared type number", id="another type"),
        pytest.param("SELECT id, amount, 5 AS happened_at FROM facts WHERE :start <> :end", DeliveryRefused,
                     "'happened_at' that are not of the declared type timestamp", id="a number is no moment"),
        pytest.param("DELETE FROM facts WHERE :start <> :end", SpecInvalid, "readonly", id="a query only reads"),
    ],
)  # fmt: skip
def test_a_query_that_does_not_fit_is_refused_with_the_next_step(declare, lite, query, error, said):
    case = declare(query)
    with pytest.raises(error, match=said):
        decode(fetch(case, lite[0]), case.sources["facts"])


def test_a_time_without_a_zone_needs_a_declared_one(declare, lite):
    plain = {**COLUMNS, "happened_at": {"type": "timestamp"}}
    with pytest.raises(DeliveryRefused, match="happened_at"):
        fetch(declare(columns=plain), lite[0])
    zoned = {**COLUMNS, "happened_at": {"type": "timestamp", "timezone": "America/New_York"}}
    assert rows(declare(columns=zoned), lite[0])[0]["happened_at"] == at(2, 10)


def test_a_file_that_is_not_there_is_not_made(declare, tmp_path):
    with pytest.raises(SourceUnavailable, match="unable to open"):
        fetch(declare(), Connection("warehouse", "sqlite", host=str(tmp_path / "none.db")))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("key", "settings", "there"),
    [
        pytest.param(DAY, {}, True, id="past"),
        pytest.param(FUTURE, {}, False, id="to come"),
        pytest.param(DAY, {"delay": "9999w"}, False, id="past, but not complete yet"),
        pytest.param(FUTURE, {"partitions": {"last": FUTURE}}, True, id="a history that has an end"),
    ],
)
def test_a_delivery_is_there_once_its_window_is_past(declare, key, settings, there):
    case = declare(**settings)
    found = sources.find(case.sources["facts"], [key], None, case=case)
    assert found == ([Found(key, f"warehouse/{key}")] if there else [])
    if not there:
        with pytest.raises(DeliveryMissing, match="not before"):
            fetch(case, Connection("warehouse", "sqlite"), key)


def test_the_known_window_runs_from_moment_to_moment(declare, lite):
    case = declare(window="known", problem={"lead_time": "30h"})
    assert rows(case, lite[0], "2024-01-04") == [{"id": "d2", "amount": 1.0, "happened_at": at(2, 5)}]


@pytest.mark.slow
def test_a_query_lands_once_until_its_rows_change(declare, lite, lake, monkeypatch):
    connection, link = lite
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", f"sqlite:///{connection.host}")
    case = declare()
    assert ingest.awaited(case, "facts", [DAY, FUTURE], lake, None) == [FUTURE]
    assert ingest.stage(case, "facts", [DAY], lake, None).rows == 1
    landed = [ingest.land(case, "facts", [DAY], lake, None).new]
    link.execute("UPDATE facts SET amount = 9 WHERE id = 'd2'")
    link.commit()
    landed.append(ingest.land(case, "facts", [DAY], lake, None).new)
    assert landed == [0, 1]


def test_why_nothing_came_is_told_after_everything_else_has_landed(declare, lite, lake):
    connection, _ = lite
    case = declare(partitions={"last": "2024-02-01"})

    def looked_up(name):
        return connection if lake.keys("deliveries") == [] else Connection("warehouse", "sqlite", host="none.db")

    with pytest.raises(DeliveryMissing, match=r"facts for 2024-01-03 yet.*'warehouse' did not answer"):
        ingest.land(case, "facts", [DAY, "2024-01-03"], lake, None, connections=looked_up)
    assert len(lake.keys("deliveries")) == 1


@pytest.mark.parametrize(
    ("connection", "wanted"),
    [
        (Connection("w", "postgres", "db", 5432, "flights", "me", "pw"), "postgresql+psycopg://me:pw@db:5432/flights"),
        (Connection("w", "postgres", "db", extra={"sslmode": "require"}), "postgresql+psycopg://db?sslmode=require"),
        (Connection("w", "mssql", "db", extra={"sqlalchemy_scheme": "mssql+pyodbc"}), "mssql+pyodbc://db"),
        (Connection("w", "sqlite", schema="/data/x.db"), "sqlite:///file%3A/data/x.db?mode=ro&uri=true"),
    ],
)
def test_a_connection_becomes_sqlalchemy_s_url(connection, wanted):
    assert url(connection).render_as_string(hide_password=False) == wanted


def test_a_database_nobody_has_a_driver_for_is_named(declare):
    with pytest.raises(SpecInvalid, match="no driver for the connection 'warehouse' of type 'nosuch'"):
        fetch(declare(), Connection("warehouse", "nosuch", host="db"))


@pytest.mark.parametrize(
    "query", ["SELECT 1", "SELECT :start", "SELECT :start, :end, :other", "SELECT ':start', '12:30' , 1::end"]
)
def test_a_query_must_bind_start_and_end_and_nothing_else(query):
    with pytest.raises(ValueError, match="must bind"):
        Sql(connection="w", query=query)

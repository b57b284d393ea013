import asyncio
import csv
import json
import shutil
import sqlite3

import pytest
from tests import served
from tests.plugins import tiny
from tests.plugins.running import Run, parse

from updraft import sources
from updraft.errors import SourceClosed
from updraft.sources import Found, from_environment
from updraft.spec.sources import Source
from updraft_airflow.hooks.source import connection
from updraft_airflow.triggers.delivery import DeliveryTrigger

DAY = "2024-01-05"
SECRET = "canary-secret"


@pytest.mark.parametrize(
    "said",
    [
        pytest.param("postgres://me:canary-secret@db.example:5432/flights?sslmode=require", id="a database"),
        pytest.param("postgresql://db/flights", id="another word for it"),
        pytest.param("my-kind://h", id="a dash in the type"),
        pytest.param("postgres://a%40b:p%2Fw%3A%40@db/x", id="quoted"),
        pytest.param("http://https://api.example:8443/v1", id="a host with its own scheme"),
        pytest.param("http://:canary-secret@api.example", id="a password alone"),
        pytest.param("aws://key:canary-secret@/?region_name=eu-west-1&endpoint_url=http%3A%2F%2Fs3%3A9000", id="aws"),
        pytest.param("aws://?__extra__=%7B%22a%22%3A+%7B%22b%22%3A+1%7D%7D", id="a nested extra"),
        pytest.param(json.dumps({"conn_type": "postgres", "host": "db", "port": "5432", "schema": "f"}), id="JSON"),
        pytest.param(json.dumps({"conn_type": "aws", "login": "k", "extra": {"a": 1}}), id="JSON with an extra"),
        pytest.param(json.dumps({"conn_type": "aws", "extra": '{"a": 1}'}), id="JSON with an extra as text"),
        pytest.param("sqlite:////data/facts.db", id="a file"),
    ],
)
def test_a_connection_reads_the_same_without_airflow_as_with_it(world, monkeypatch, said):
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", said)
    assert from_environment("warehouse") == connection("warehouse")


@pytest.mark.parametrize("look_up", [from_environment, connection])
def test_a_connection_that_is_not_there_is_named(world, look_up):
    with pytest.raises(SourceClosed, match=r"connection 'nowhere'.*AIRFLOW_CONN_NOWHERE"):
        look_up("nowhere")


def test_an_aws_connection_is_opened_by_the_amazon_provider(world, monkeypatch):
    declared = {
        "type": "s3",
        "path": "f/{partition}.csv",
        "s3": {"connection": "store", "bucket": "bucket"},
        "key": ["id"],
        "event_time": "at",
        "known_at": {"delay": "1h"},
        "columns": {"id": {"type": "integer"}, "at": {"type": "timestamp"}},
    }
    with served.serving(lambda asked: asked.say(b"id,at\n", ETag='"one"')) as server:
        extra = {"endpoint_url": f"http://127.0.0.1:{server.port}", "region_name": "us-east-1"}
        told = {"conn_type": "aws", "login": "canary-id", "password": SECRET, "extra": extra}
        monkeypatch.setenv("AIRFLOW_CONN_STORE", json.dumps(told))
        found = Found("2024-01-02", "s3://bucket/f/2024-01-02.csv")
        source = Source.model_validate(declared)
        assert sources.fetch(source, found, world.home, connections=connection).read() == b"id,at\n"
    assert "Credential=canary-id/" in server.asked[-1].headers["Authorization"]
    assert SECRET not in repr(connection("store"))


@pytest.fixture
def warehouse(world, tmp_path, monkeypatch):
    """A use case whose plan is in a database that a connection names: its DAG, and what fills the database."""
    folder = tmp_path / "use_cases"
    shutil.copytree(tiny.USE_CASES, folder)
    spec = folder / "tiny" / "spec.yaml"
    query = "SELECT * FROM plan WHERE datetime(published_at) >= :start AND datetime(published_at) < :end"
    asked = f"type: sql\n    sql: {{connection: warehouse, query: '{query}', window: known}}"
    files = "type: files\n    path: tiny/plan/{partition}.csv"
    assert files in spec.read_text()
    spec.write_text(spec.read_text().replace(files, asked))
    file = tmp_path / "warehouse.db"
    with sqlite3.connect(file) as link:
        link.execute("CREATE TABLE plan (id, amount REAL, colour, happens_at, published_at)")
    told = {"conn_type": "sqlite", "host": str(file), "password": SECRET}

    def fill(day):
        tiny.deliver(world.home, [day])
        rows = list(csv.reader((world.home / f"inbox/tiny/plan/{day}.csv").open()))[1:]
        with sqlite3.connect(file) as link:
            link.executemany("INSERT INTO plan VALUES (?, ?, ?, ?, ?)", rows)
        link.close()
        monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps(told))

    world.enter(monkeypatch, folder)
    return parse(folder)["tiny__ingest"], fill


def test_a_dag_waits_for_a_window_to_be_past_and_ingests_what_the_database_says(warehouse):
    dag, fill = warehouse
    assert Run(dag, partition="2999-01-01").task("plan.wait").state == "up_for_reschedule"
    run = Run(dag, partition=DAY)
    assert run.task("plan.wait").state == "success"
    closed = run.task("plan.publish")
    assert closed.state == "failed"
    assert "Airflow has no connection 'warehouse'" in str(closed.error)
    fill(DAY)
    assert run.task("plan.publish").returned["rows"] == 60


def test_the_triggerer_waits_for_a_window_too(warehouse):
    assert warehouse

    async def fires(day):
        trigger = DeliveryTrigger(use_case="tiny", source="plan", partitions=[day], poke_interval=0.01)
        return await asyncio.wait_for(anext(trigger.run()), timeout=1)

    assert asyncio.run(fires(DAY)).payload == {"source": "plan", "partitions": [DAY]}
    with pytest.raises(TimeoutError):
        asyncio.run(fires("2999-01-01"))

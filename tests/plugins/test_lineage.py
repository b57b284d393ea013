"""Lineage as Airflow's own provider sends it, in a process of its own: it must be configured when Airflow starts."""

import json
import os
import subprocess
import sys

import pytest
from tests.plugins import airflow_home, tiny

# isort: split
from updraft.asof import raw_table
from updraft.lake import Lake
from updraft_airflow import lineage
from updraft_airflow.lineage import Lineage, Place

LIVE = """
import os, sys
from tests.plugins import tiny
from tests.plugins.conftest import World
from tests.plugins.running import parse
from pathlib import Path
home = Path(sys.argv[1])
os.environ |= {"UPDRAFT_HOME": str(home), "UPDRAFT_USE_CASES": str(tiny.USE_CASES)}
for name in ("UPDRAFT_LAKE", "UPDRAFT_INBOX", "UPDRAFT_ARTIFACTS", "MLFLOW_TRACKING_URI"):
    os.environ.pop(name, None)
world = World(home, parse(tiny.USE_CASES))
days = ["2024-01-01", "2024-01-03"]
tiny.deliver(home, days)
for day in days:
    for stage in ("ingest", "features"):
        world.run(stage, partition=day).all()
"""


@pytest.fixture(scope="module")
def sent(tmp_path_factory):
    """Events of ingestion and features, in the order they were sent; by the second day something has come true."""
    home = tmp_path_factory.mktemp("lineage")
    transport = {"type": "file", "log_file_path": str(home / "events.jsonl"), "append": True}
    settings = {"AIRFLOW__OPENLINEAGE__TRANSPORT": json.dumps(transport), "PYTHONPATH": path()}
    done = subprocess.run(
        [sys.executable, "-c", LIVE, str(home / "home")], capture_output=True, text=True,
        env={**os.environ, **settings}, cwd=airflow_home.ROOT, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return [json.loads(line) for line in (home / "events.jsonl").read_text().splitlines()]


def path():
    return os.pathsep.join([str(airflow_home.ROOT), os.environ.get("PYTHONPATH", "")])


def done(sent, job):
    return [event for event in sent if event["eventType"] == "COMPLETE" and event["job"]["name"] == job]


@pytest.mark.slow
def test_a_task_tells_which_tables_it_read_and_wrote_in_which_version(sent):
    events = done(sent, "tiny__features.build")
    read = [sorted(place["name"].rpartition("/lake/")[2] for place in event["inputs"]) for event in events]
    assert read[0] == ["raw/tiny/plan"], "nothing has come true yet"
    assert read[-1] == ["raw/tiny/outcome", "raw/tiny/plan"]
    written = [place for event in events for place in event["outputs"]]
    assert {place["name"].rpartition("/lake/")[2] for place in written} == {"features/tiny"}
    versions = [int(place["facets"]["version"]["datasetVersion"]) for place in written]
    assert versions == sorted(set(versions))
    assert all(place["outputFacets"]["outputStatistics"]["rowCount"] == 60 for place in written)


@pytest.mark.slow
def test_tables_come_with_their_columns_and_who_answers_for_them(sent):
    [*_, last] = done(sent, "tiny__features.build")
    [table] = last["outputs"]
    assert {field["name"] for field in table["facets"]["schema"]["fields"]} >= {*tiny.CASE.entity, *tiny.CASE.features}
    assert [owner["name"] for owner in table["facets"]["ownership"]["owners"]] == [tiny.CASE.owner.name]


@pytest.mark.slow
def test_what_one_task_wrote_is_what_the_next_one_read(sent):
    landed = {place["name"] for event in done(sent, "tiny__ingest.plan.publish") for place in event["outputs"]}
    read = {place["name"] for event in done(sent, "tiny__features.build") for place in event["inputs"]}
    assert landed < read


def test_a_source_is_named_without_what_it_takes_to_get_in(tmp_path):
    lake = Lake(str(tmp_path / "lake"))
    [came], went = lineage.delivery(tiny.CASE, lake, "plan")
    assert (came.uri, went) == ("updraft://tiny/plan", ())


def test_a_table_that_is_not_there_yet_is_left_out(tmp_path):
    assert lineage.tables(tiny.CASE, Lake(str(tmp_path / "lake")), ("raw", "features")) == ()
    assert raw_table(tiny.CASE, "plan") == "raw/tiny/plan"


def test_rows_are_told_of_what_was_written_where_a_task_speaks_of_any():
    told = lineage.facets(Lineage("ops", (), (Place("s3://bucket/lake/features/tiny", 3, (("id", "string"),)),), None))
    [table] = told.outputs
    assert (table.namespace, table.name) == ("s3://bucket", "lake/features/tiny")
    assert table.outputFacets == {}
    assert table.facets["version"].datasetVersion == "3"


def test_where_nothing_is_configured_nothing_is_described():
    assert lineage.wanted() is False

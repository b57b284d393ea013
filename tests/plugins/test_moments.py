"""Deadlines counted from the moment of a partition: what the scheduler reads, and what people are told."""

import asyncio
import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from tests.plugins import tiny
from tests.plugins.airflow_home import ROOT

from updraft import features, ingest, score
from updraft.lake import Lake
from updraft.spec.alerts import Deadlines
from updraft_airflow import deadlines
from updraft_airflow.moments import AsOf


def case(last=None, **limits):
    spans = tiny.CASE.partitions.model_copy(update={"last": last})
    return tiny.CASE.model_copy(update={"deadlines": Deadlines(**limits), "partitions": spans})


@pytest.mark.parametrize(
    ("key", "moment"),
    [
        ("2024-01-05", datetime(2024, 1, 4, 18, tzinfo=UTC)),
        ("2023-12-31", None),
        ("", None),
        ("tomorrow", None),
    ],
)
def test_a_deadline_counts_from_the_partition_s_moment(key, moment):
    assert AsOf.of(tiny.CASE, timedelta(hours=1)).moment(key) == moment


def test_it_is_the_same_after_its_way_through_the_database():
    reference = AsOf.of(tiny.CASE, timedelta(hours=1))
    sent = json.loads(json.dumps(reference.serialize_reference()))
    again = AsOf.deserialize_reference(sent)
    assert again == reference
    assert (again.lead_time, again.within) == (6 * 3600.0, 3600.0)


@pytest.mark.parametrize(
    ("declared", "first", "names"),
    [
        pytest.param(case(), "features", {"scores": 6}, id="by default the scores, when the partition begins"),
        pytest.param(case(features=timedelta(hours=1)), "features", {"features": 1, "scores": 6}, id="both"),
        pytest.param(case(features=timedelta(hours=1)), "scores", {"scores": 6}, id="a later stage"),
        pytest.param(case(last="2024-02-01"), "features", {}, id="a history that has an end"),
    ],
)
def test_a_stage_brings_the_deadlines_of_what_comes_after_it(declared, first, names):
    alerts = deadlines.stage(declared, first) or []
    assert {one.name.split()[0]: one.interval for one in alerts} == {n: timedelta(hours=h) for n, h in names.items()}
    assert {one.callback.path for one in alerts} <= {"updraft_airflow.deadlines.late"}


EVALUATE = """
import json, sys
from datetime import datetime, timedelta, UTC
from airflow.serialization.encoders import encode_deadline_reference
from airflow.serialization.definitions.deadline import SerializedReferenceModels
from airflow.utils.db import initdb
from airflow.utils.session import create_session
from airflow.models import DagRun
from updraft_airflow.moments import AsOf
initdb()
soon = (datetime.now(UTC) + timedelta(days=2)).strftime("%Y-%m-%d")
written = json.loads(json.dumps(encode_deadline_reference(AsOf(lead_time=6 * 3600.0, within=3600.0))))
read = SerializedReferenceModels.SerializedCustomReference.deserialize_reference(written)
found = {}
with create_session() as session:
    runs = {"key": (soon, None), "conf": (None, {"partition": soon}), "over": ("2024-01-05", None)}
    runs["none"] = (None, None)
    for name, (key, conf) in runs.items():
        about = {"run_type": "manual", "conf": conf, "partition_key": key, "run_after": datetime.now(UTC)}
        run = DagRun(dag_id="d", run_id=name, **about)
        session.add(run)
        session.flush()
        due = read.evaluate_with(session=session, interval=timedelta(hours=1), dag_id="d", run_id=name)
        found[name] = due and due.isoformat()
    session.rollback()
print(json.dumps({"soon": soon, **found}))
"""


@pytest.mark.slow
def test_the_scheduler_finds_it_by_the_plugin_and_evaluates_it_from_the_run(tmp_path):
    told = {"AIRFLOW_HOME": str(tmp_path), "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins")}
    told["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] = f"sqlite:///{tmp_path}/airflow.db"
    command = [sys.executable, "-c", EVALUATE]
    done = subprocess.run(command, env={**os.environ, **told}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    day = datetime.fromisoformat(found["soon"]).replace(tzinfo=UTC)
    assert found["key"] == found["conf"] == (day - timedelta(hours=5)).isoformat()
    assert (found["over"], found["none"]) == (None, None)


@pytest.mark.slow
def test_a_deadline_that_passed_tells_what_is_late_and_nothing_else(world):
    lake, days = Lake(str(world.home / "lake")), ["2024-01-05", "2024-01-06"]
    assert asyncio.run(deadlines.late("tiny", context={"dag_run": {}})) == ""
    tiny.deliver(world.home, days)
    for source in tiny.CASE.sources:
        ingest.stage(tiny.CASE, source, days, lake, world.home / "inbox")
    features.build(tiny.CASE, days, lake)
    assert asyncio.run(deadlines.late("tiny", context={"dag_run": {}})) == "", "nothing was ever scored"
    lake.replace(score.table(tiny.CASE), pa.table({"partition": days[:1], "id": ["a"]}), days[:1])
    told = asyncio.run(deadlines.late("tiny", context={"dag_run": {}}))
    assert told.startswith("scores_late.")
    assert asyncio.run(deadlines.late("tiny", context={"dag_run": {}})) == "", "once, however many deadlines pass"

"""The examples for other teams: Airflow parses them, they are told of, and what they name exists."""

import json
import re
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import Asset, BaseSensorOperator
from airflow.serialization.serialized_objects import DagSerialization
from tests.plugins.airflow_home import ROOT
from tests.plugins.running import Run

from updraft import score
from updraft.lake import Lake
from updraft.ledger import Ledger
from updraft.life import incidents
from updraft.monitor.incident import Incident
from updraft.prediction import schema
from updraft.spec import load

FOLDER = ROOT / "docs" / "examples" / "dags"
FILES = sorted(FOLDER.glob("*.py"))
USE_CASES = {"flight_delays", "late_parcels"}  # the demo's, and that of the README


@pytest.fixture(scope="module")
def examples():
    bag = DagBag(FOLDER)
    assert bag.import_errors == {}
    return dict(bag.dags)


def test_airflow_does_not_load_them_and_the_page_tells_of_each():
    assert len(FILES) >= 7
    assert not FOLDER.is_relative_to(ROOT / "dags")
    told = (ROOT / "docs" / "events.md").read_text(encoding="utf-8")
    assert [file.name for file in FILES if f"(examples/dags/{file.name})" not in told] == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_an_example_is_short_and_has_a_dag(file, examples):
    assert len(file.read_text(encoding="utf-8").splitlines()) < 60
    assert [dag for dag in examples.values() if dag.fileloc == str(file)]


def test_every_example_is_bounded_and_survives_its_way_through_the_database(examples):
    for dag in examples.values():
        assert dag.dagrun_timeout
        DagSerialization.from_dict(json.loads(json.dumps(DagSerialization.to_dict(dag))))
        for sensor in (task for task in dag.tasks if isinstance(task, BaseSensorOperator)):
            assert sensor.timeout < dag.dagrun_timeout.total_seconds()
            assert sensor.mode == "reschedule"


def test_the_dags_that_are_started_exist(examples, flights):
    started = {
        task.trigger_dag_id for dag in examples.values() for task in dag.tasks if hasattr(task, "trigger_dag_id")
    }
    assert started
    for dag_id in started:
        use_case, _, stage = dag_id.partition("__")
        assert use_case in USE_CASES
        assert stage in flights


def test_the_assets_of_ours_that_are_waited_for_are_announced(examples, flights):
    ours = {(a.name, a.uri, a.group) for dag in flights.values() for task in dag.tasks for a in task.outlets}
    waited = {a for dag in examples.values() for a in condition(dag) if a.uri.startswith("x-updraft://")}
    assert waited
    assert {(a.name, a.uri, a.group) for a in waited} <= ours


def condition(dag):
    found = getattr(dag.timetable, "asset_condition", None)
    return [found] if isinstance(found, Asset) else list(found.objects) if found else []


def test_a_watcher_names_a_source_that_can_be_listened_to(examples, flights):
    watchers = [watcher for dag in examples.values() for asset in condition(dag) for watcher in asset.watchers]
    assert {(each.trigger.use_case, each.trigger.source) for each in watchers} == {
        ("flight_delays", "weather"),
        ("late_parcels", "bookings"),
    }


@pytest.mark.parametrize("dag_id", ["flight_delays_after_weather"])
def test_what_an_upstream_asset_starts_is_ingestion_of_the_same_partition_once_per_event(examples, dag_id):
    run = Run(examples[dag_id], partition="2013-04-01", run_id="asset__1")
    run.task("ingest")
    run.task("ingest")
    ((run_id, told),) = run.supervisor.started.items()
    assert run_id == "weather__2013-04-01__asset__1"
    assert (told.dag_id, told.conf) == ("flight_delays__ingest", {"partition": "2013-04-01"})


DAY, BEFORE = "2013-04-01", "2013-03-31"


@pytest.fixture
def lake(tmp_path, monkeypatch):
    """The demo's lake, and where the examples look for it."""
    monkeypatch.setenv("UPDRAFT_USE_CASES", str(ROOT / "include" / "use_cases"))
    monkeypatch.setenv("UPDRAFT_LAKE", str(tmp_path / "lake"))
    return Lake(str(tmp_path / "lake"))


def test_who_is_woken_after_scores_counts_what_is_acted_on_in_that_partition(examples, lake):
    case = load.load("flight_delays")
    acted = {DAY: [True, False, True], BEFORE: [True]}
    rows = [{"acted": each, "partition": key, "role": "champion"} for key, every in acted.items() for each in every]
    lake.replace(score.table(case), pa.Table.from_pylist(rows, schema=schema(case)), [BEFORE, DAY])
    ended = Run(examples["warn_travellers"], partition=DAY).all()["warn"]
    assert (ended.state, ended.returned) == ("success", 2)


def incident(lake, kind, partition):
    """Record one, and that it was over in the same partition."""
    case, found = load.load("flight_delays"), Incident(kind, "0" * 64, partition, True, "AUC fell")
    assert incidents.open_incident(case, found, partition, lake, who="test")
    (record,) = Ledger(lake, case.name).state().open_incidents
    assert incidents.close(case, lake, record, why="calm", who="test", partition=partition)


def test_a_campaign_is_paused_on_drift_that_hurts_of_the_partition_or_later(examples, lake):
    run = Run(examples["pause_campaign_on_drift"], partition=DAY)
    assert run.all()["drifted"].state == "up_for_reschedule"
    for kind, partition in (("feature_drift", DAY), ("performance", BEFORE)):
        incident(lake, kind, partition)
        assert run.all()["drifted"].state == "up_for_reschedule", "not of this kind, or over before"
    incident(lake, "performance", DAY)
    ended = run.all()
    assert {name: each.state for name, each in ended.items()} == {"drifted": "success", "pause_campaign": "success"}
    assert ended["drifted"].returned == {"why": "AUC fell"}


def test_where_there_is_no_drift_the_campaign_goes_on_and_nothing_fails(examples, lake):
    run = Run(examples["pause_campaign_on_drift"], partition=DAY)
    run.supervisor.since = datetime.now(tz=UTC) - timedelta(hours=13)
    assert run.task("drifted", task_reschedule_count=1).state == "skipped"


@pytest.mark.parametrize(("word", "fits"), [("2013-04-01", True), ("../etc", False), ("{{ 1 }}", False), ("", False)])
def test_the_form_of_an_example_takes_a_partition_and_nothing_else(examples, word, fits):
    for dag_id in ("train_on_labels", "wait_for_keys"):
        assert bool(re.search(examples[dag_id].params.get_param("partition").schema["pattern"], word)) is fits

from airflow.sdk import DAG
from airflow.sdk.execution_time.context import OutletEventAccessors
from tests.plugins import tiny

from updraft_airflow import assets
from updraft_airflow.operators.stage import StageOperator, announce


def announced(keys):
    events = OutletEventAccessors()
    announce({"outlet_events": events}, assets.features(tiny.CASE), keys)
    return {key.name: accessor.partition_keys for key, accessor in events._dict.items()}


def test_a_single_partition_is_announced():
    assert announced(["2024-01-05"]) == {"tiny.features": {"2024-01-05"}}


def test_a_span_is_not_announced():
    assert announced(["2024-01-05", "2024-01-06"]) == {}


def stage(**fields):
    with DAG("stages"):
        return StageOperator(task_id="stage", use_case="tiny", **fields)


def test_a_stage_stands_at_the_last_partition_of_its_run(world):
    task = stage(partition="2024-01-05", through="2024-01-07")
    assert task.keys == ["2024-01-05", "2024-01-06", "2024-01-07"]
    assert task.at.key == "2024-01-07"


def test_a_stage_reads_its_use_case_and_its_lake_anew_each_time(world, tmp_path, monkeypatch):
    task = stage(partition="2024-01-05")
    assert task.case == tiny.CASE
    monkeypatch.setenv("UPDRAFT_LAKE", str(tmp_path / "moved"))
    assert task.lake.uri == str(tmp_path / "moved")


def test_the_lake_of_a_stage_may_be_behind_another_connection(world, monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_ELSEWHERE", '{"conn_type": "aws", "extra": {"uri": "/elsewhere"}}')
    assert stage(partition="2024-01-05", lake_conn_id="elsewhere").lake.uri == "/elsewhere"

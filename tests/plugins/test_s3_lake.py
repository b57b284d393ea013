"""The stages with their lake on an object store, behind an Airflow connection: moto's S3, in a process of its own."""

import json

import boto3
import pytest
from tests.plugins import tiny

# isort: split
from updraft.ingest import quarantine_table
from updraft.lake import Lake
from updraft.rows import digest
from updraft_airflow.hooks.lake import LakeHook

pytestmark = pytest.mark.slow

DAYS = ["2024-01-05", "2024-01-06"]
KEYS = {"aws_access_key_id": "canary-id", "aws_secret_access_key": "canary-secret"}


@pytest.fixture
def on_s3(world, endpoint, monkeypatch, request):
    """A world whose lake is a bucket that Airflow knows by its connection."""
    bucket = f"lake-{abs(hash(request.node.name)) % 10**9}"
    boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1", **KEYS).create_bucket(Bucket=bucket)
    told = {
        "conn_type": "aws",
        "login": "canary-id",
        "password": "canary-secret",
        "extra": {"uri": f"s3://{bucket}/lake", "endpoint_url": endpoint, "region_name": "us-east-1"},
    }
    monkeypatch.setenv("AIRFLOW_CONN_UPDRAFT_LAKE", json.dumps(told))
    tiny.deliver(world.home, DAYS)
    return world


def succeed(world, stage, day):
    ended = world.run(stage, partition=day).all()
    assert {task: one.state for task, one in ended.items()} == dict.fromkeys(ended, "success")
    return ended


def test_the_stages_end_in_the_same_rows_as_on_a_folder(on_s3, monkeypatch):
    for day in DAYS:
        succeed(on_s3, "ingest", day)
        succeed(on_s3, "features", day)
    remote = LakeHook().get_conn()
    assert remote.uri.startswith("s3://")
    assert not (on_s3.home / "lake").exists()
    monkeypatch.delenv("AIRFLOW_CONN_UPDRAFT_LAKE")
    for day in DAYS:
        succeed(on_s3, "ingest", day)
        succeed(on_s3, "features", day)
    local = Lake(str(on_s3.home / "lake"))
    for table in ("raw/tiny/plan", "raw/tiny/outcome", "features/tiny"):
        assert digest(remote.read(table)) == digest(local.read(table))
        assert len(remote.read(table)) > 0


def test_a_second_run_commits_nothing(on_s3):
    succeed(on_s3, "ingest", DAYS[0])
    succeed(on_s3, "features", DAYS[0])
    lake = LakeHook().get_conn()
    before = {table: lake.version(table) for table in ("raw/tiny/plan", "features/tiny")}
    assert succeed(on_s3, "ingest", DAYS[0])["plan.publish"].returned["new"] == 0
    succeed(on_s3, "features", DAYS[0])
    assert {table: lake.version(table) for table in before} == before


def test_a_blocked_delivery_keeps_its_report_and_its_rows_there(on_s3):
    tiny.deliver(on_s3.home, [DAYS[0]], spoilt=True)
    assert on_s3.run("ingest", partition=DAYS[0]).task("plan.publish").state == "failed"
    lake = LakeHook().get_conn()
    (report,) = lake.keys(f"reports/tiny/plan/{DAYS[0]}")
    assert b"blocked: 60 of 60 rows" in lake.get(report)
    assert len(lake.read(quarantine_table(tiny.CASE, "plan"), [DAYS[0]])) == 60
    assert lake.partitions("raw/tiny/plan") == []


def test_what_landed_there_is_not_waited_for(on_s3):
    succeed(on_s3, "ingest", DAYS[0])
    (on_s3.home / "inbox" / "tiny" / "plan" / f"{DAYS[0]}.csv").unlink()
    assert on_s3.run("ingest", partition=DAYS[0]).task("plan.wait").state == "success"

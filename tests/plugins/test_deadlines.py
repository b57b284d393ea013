import asyncio
import shutil
from datetime import timedelta

import pytest
import yaml
from airflow.sdk import DeadlineReference
from tests.plugins import tiny

from updraft import ingest
from updraft.lake import Lake
from updraft.spec.load import load
from updraft_airflow import deadlines

DAY, NEXT = "2024-01-05", "2024-01-06"


@pytest.fixture
def bounded(world, tmp_path, monkeypatch):
    """The tiny use case with an hour for its plan."""
    folder = tmp_path / "use_cases" / "tiny"
    shutil.copytree(tiny.USE_CASES / "tiny", folder)
    spec = yaml.safe_load((folder / "spec.yaml").read_text(encoding="utf-8"))
    spec["sources"]["plan"]["deadline"] = "1h"
    (folder / "spec.yaml").write_text(yaml.safe_dump(spec), encoding="utf-8")
    monkeypatch.setenv("UPDRAFT_USE_CASES", str(folder.parent))
    return world


def said(run):
    return asyncio.run(deadlines.overdue(use_case="tiny", source="plan", context={"dag_run": run}))


def test_a_source_with_a_deadline_has_an_alert_counted_from_the_run(bounded):
    (alert,) = deadlines.deliveries(load("tiny"))
    assert (alert.reference, alert.interval) == (DeadlineReference.DAGRUN_QUEUED_AT, timedelta(hours=1))
    assert alert.callback.path == "updraft_airflow.deadlines.overdue"
    assert alert.callback.kwargs == {"use_case": "tiny", "source": "plan"}


def test_no_deadline_is_no_alert():
    assert deadlines.deliveries(tiny.CASE) is None


@pytest.mark.parametrize(
    ("run", "missing"),
    [
        pytest.param({"partition_key": NEXT, "conf": None}, NEXT, id="by the clock"),
        pytest.param({"partition_key": None, "conf": {"partition": NEXT}}, NEXT, id="by hand"),
        pytest.param({"partition_key": None, "conf": {"partition": DAY, "through": NEXT}}, NEXT, id="a span"),
        pytest.param({"partition_key": DAY, "conf": {}}, "", id="it has come, and the run is late for another reason"),
    ],
)
def test_what_has_not_come_is_named_with_its_owner(bounded, caplog, run, missing):
    tiny.deliver(bounded.home, [DAY])
    told = said(run)
    assert bool(told) == bool(missing)
    assert [line for line in caplog.messages if line == told] == ([told] if missing else [])
    if missing:
        assert f"plan of tiny is overdue: nothing has come for {missing} within 1 h" in told
        assert "Owner: Tiny team, tiny@example.com" in told


def test_what_has_landed_is_not_overdue_though_the_inbox_was_emptied(bounded):
    tiny.deliver(bounded.home, [DAY])
    ingest.land(load("tiny"), "plan", [DAY], Lake(str(bounded.home / "lake")), bounded.home / "inbox")
    shutil.rmtree(bounded.home / "inbox")
    assert said({"partition_key": DAY, "conf": None}) == ""
    assert f"nothing has come for {NEXT} within" in said({"conf": {"partition": DAY, "through": NEXT}})

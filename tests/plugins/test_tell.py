"""The task `tell` and the callback of failed tasks, run by Airflow's own task runner against a real webhook."""

import json
import os
import shutil
import subprocess
import sys

import pytest
import yaml
from tests.plugins import tiny
from tests.plugins.airflow_home import ROOT
from tests.plugins.conftest import World
from tests.plugins.notified import CANARY, Hook
from tests.plugins.running import parse
from tests.served import serving

from updraft.alert.kinds import MEANINGS
from updraft.lake import Lake
from updraft.ledger import Ledger
from updraft.life import monitor
from updraft.local.environment import environment
from updraft.monitor.incident import Incident
from updraft.settings import Settings
from updraft_airflow.notifications.failure import FailureNotifier
from updraft_airflow.operators.tell import TellOperator
from updraft_airflow.tell import partitions_of

FIRST = "2024-01-01"
FOUND = Incident("prediction_drift", "f" * 64, FIRST, True, "it moved")


@pytest.fixture(scope="module")
def use_cases(tmp_path_factory):
    """The tiny use case with somebody to tell everything."""
    folder = tmp_path_factory.mktemp("told") / "use_cases"
    shutil.copytree(tiny.USE_CASES, folder)
    spec = yaml.safe_load((folder / "tiny" / "spec.yaml").read_text(encoding="utf-8"))
    spec["alerts"] = {"pager": {"to": "webhook", "connection": "pager", "on": sorted(MEANINGS)}}
    (folder / "tiny" / "spec.yaml").write_text(yaml.safe_dump(spec), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def told_dags(use_cases):
    return parse(use_cases)


@pytest.fixture
def hook():
    return Hook()


@pytest.fixture
def paged(tmp_path, told_dags, use_cases, hook, monkeypatch):
    """A world whose pager is a webhook on this machine."""
    with serving(hook) as server:
        where = {"conn_type": "http", "schema": "http", "host": "127.0.0.1", "port": server.port, "password": CANARY}
        monkeypatch.setenv("AIRFLOW_CONN_PAGER", json.dumps({**where, "extra": {"timeout": 5}}))
        yield World(tmp_path / "home", told_dags).enter(monkeypatch, use_cases)


@pytest.fixture(autouse=True)
def _no_secret_is_logged(caplog, capsys):
    yield
    assert CANARY not in "".join(record.getMessage() for record in caplog.get_records("call"))
    assert CANARY not in "".join(capsys.readouterr())


def lake(world):
    return Lake(str(world.home / "lake"))


def got(hook):
    said = [json.loads(body) for _, _, body in hook.got]
    return [(one["kind"], one["event"]) for one in said]


def test_the_task_tells_an_incident_once_and_that_it_is_over(paged, hook):
    monitor.open_incident(tiny.CASE, FOUND, FIRST, lake(paged), who="test")
    for _ in range(2):
        ended = paged.run("monitor", partition=FIRST).task("tell")
        assert ended.state == "success"
    assert got(hook) == [("incident", "opened")]
    assert ended.returned == {"opened": [], "resolved": [], "sent": 0, "waiting": 0}
    Ledger(lake(paged), "tiny").append("promoted", why="better", who="test", model="e" * 64, partition=FIRST)
    paged.run("sweep", partition=FIRST).task("tell")
    assert ("incident", "resolved") in got(hook)


def test_who_cannot_be_told_is_told_by_the_next_try(paged, hook, monkeypatch):
    monitor.open_incident(tiny.CASE, FOUND, FIRST, lake(paged), who="test")
    hook.answers = [403]
    ended = paged.run("monitor", partition=FIRST).task("tell")
    assert ended.state == "up_for_retry"
    assert "it answered 403" in str(ended.error)
    assert CANARY not in str(ended.error)
    assert paged.run("monitor", partition=FIRST).task("tell").state == "success"
    assert got(hook) == [("incident", "opened")]


@pytest.mark.slow
def test_a_task_that_fails_for_good_is_told_once_with_its_partition(paged, hook):
    tiny.deliver(paged.home, [FIRST], spoilt=True)
    for _ in range(2):
        assert paged.run("ingest", partition=FIRST).task("plan.publish").state == "failed"
    ((_, _, body),) = hook.got
    said = json.loads(body)
    assert (said["kind"], said["partition"]) == ("delivery_blocked", FIRST)
    assert said["command"] == "updraft quarantine list tiny"


@pytest.mark.slow
def test_a_training_that_is_refused_is_told_as_that(paged, hook):
    tiny.deliver(paged.home, [FIRST])
    assert paged.run("train", partition=FIRST).task("fit").state == "failed"
    assert got(hook) == [("training_refused", "opened")]


def test_any_other_failure_is_told_as_a_failed_task(paged, hook):
    assert paged.run("score", partition=FIRST).task("pin_champion").state == "failed"
    said = json.loads(hook.got[0][2])
    assert (said["kind"], said["partition"]) == ("task_failed", FIRST)
    assert "there is no champion" in said["what"].lower() or "trigger tiny__train" in said["what"]
    assert dict(said["facts"])["task"] == "tiny__score.pin_champion"


def test_a_try_that_is_followed_by_another_is_not_told(paged, hook):
    assert paged.run("ingest", partition=FIRST).task("plan.publish").state == "up_for_retry"
    assert hook.got == []


def test_what_the_callback_could_not_send_the_next_task_sends(paged, hook):
    hook.answers = [403]
    paged.run("score", partition=FIRST).task("pin_champion")
    assert hook.got == []
    assert paged.run("sweep", partition=FIRST).task("tell").state == "success"
    assert got(hook) == [("task_failed", "opened")]


def test_a_run_without_a_partition_is_told_by_its_id(paged, hook):
    assert paged.run("score").task("pin_champion").state == "failed"
    assert json.loads(hook.got[0][2])["partition"] is None


@pytest.mark.parametrize("stage", ["monitor", "retrain", "train", "sweep", "rollback"])
def test_the_task_stands_at_the_end_and_makes_no_run_a_success(told_dags, stage):
    dag = told_dags[f"tiny__{stage}"]
    tell = dag.get_task("tell")
    assert isinstance(tell, TellOperator)
    assert (tell.is_teardown, tell.on_failure_fail_dagrun, tell.downstream_task_ids) == (True, False, set())
    assert list(tell.on_failure_callback or []) == [], "its own failure is no news to those who cannot be told"


def test_every_other_task_tells_when_it_fails_for_good(told_dags):
    for dag in told_dags.values():
        for task in dag.tasks:
            callbacks = [] if task.is_mapped else list(task.on_failure_callback or [])
            kinds = [type(callback) for callback in callbacks]
            assert task.is_mapped or task.task_id == "tell" or kinds == [FailureNotifier], task


@pytest.mark.parametrize(
    ("key", "conf", "keys"),
    [
        (FIRST, None, [FIRST]),
        (None, {"partition": FIRST, "through": "2024-01-02"}, [FIRST, "2024-01-02"]),
        (None, {}, []),
        (None, {"partition": "../../etc"}, []),
    ],
)
def test_the_partitions_of_a_run(paged, key, conf, keys):
    assert partitions_of("tiny", key, conf) == keys


ALONE = """
import sys
from airflow.dag_processing.dagbag import DagBag, sync_bag_to_db
from airflow.models.dagbundle import DagBundleModel
from airflow.utils.db import initdb
from airflow.utils.session import create_session
initdb()
bag = DagBag(sys.argv[1])
with create_session() as session:
    session.merge(DagBundleModel(name="dags-folder"))
sync_bag_to_db(bag, "dags-folder", None)
run = bag.dags["tiny__rollback"].test(run_conf={"reason": "there is no champion"})
print(run.state, *sorted(f"{ti.task_id}={ti.state}" for ti in run.get_task_instances()))
"""


@pytest.mark.deep
def test_a_run_whose_work_failed_is_a_failed_run_though_its_last_task_told(paged, hook, tmp_path, use_cases):
    variables = environment(Settings.from_env(), api_port=1, mlflow_port=1)
    variables["AIRFLOW_CONN_PAGER"] = os.environ["AIRFLOW_CONN_PAGER"]
    variables |= {f"AIRFLOW__CORE__{room.upper()}_FOLDER": str(ROOT / room) for room in ("dags", "plugins")}
    command = [sys.executable, "-c", ALONE, str(ROOT / "dags" / "rollback.py")]
    done = subprocess.run(command, env=variables, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.splitlines()[-1] == "failed roll_back=failed tell=success"
    assert got(hook) == [("task_failed", "opened")]

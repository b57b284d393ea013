"""An installation is started, found ready and stopped; its programs are small scripts that do as they are told here."""

import json
import stat
import sys

import pytest
from tests.plugins.served import serve

from updraft.errors import Permanent
from updraft.local import installation
from updraft.local.installation import COMPONENTS, TRAINING_POOL, Installation, start, wait_ready
from updraft.local.processes import Processes, wait_until
from updraft.settings import Settings

pytestmark = pytest.mark.slow

SCRIPT = """#!/bin/sh
echo "$(basename $0) $*" >> "$UPDRAFT_HOME/calls"
[ "$1" = db ] && echo "no such table: dag" && exit ${MIGRATION_FAILS:-0}
exec sleep 60
"""
HEALTHY = {part: {"status": "healthy"} for part in ("metadatabase", "scheduler", "dag_processor")}


@pytest.fixture
def settings(tmp_path, monkeypatch):
    """An installation below a temporary folder, with `airflow` and `mlflow` that only sleep."""
    (tmp_path / "bin").mkdir()
    for name in ("airflow", "mlflow"):
        (tmp_path / "bin" / name).write_text(SCRIPT)
        (tmp_path / "bin" / name).chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bin" / "python"))
    monkeypatch.setenv("UPDRAFT_HOME", str(tmp_path / "home"))
    for name in ("UPDRAFT_LAKE", "MLFLOW_TRACKING_URI", "UPDRAFT_ARTIFACTS"):
        monkeypatch.delenv(name, raising=False)
    yield Settings.from_env()
    Processes(tmp_path / "home").stop()


def calls(settings):
    file = settings.home / "calls"
    return file.read_text().splitlines() if file.exists() else []


def test_it_starts_every_part_of_airflow_and_mlflow_on_loopback(settings):
    running = start(settings, api_port=0, mlflow_port=0)
    assert set(running.processes.running()) == {"mlflow", *COMPONENTS}
    assert running.airflow_url.startswith("http://127.0.0.1:")
    assert running.mlflow_url.startswith("http://127.0.0.1:")
    wait_until(lambda: len(calls(settings)) == 6, seconds=10, what="The programs' start")
    assert "airflow db migrate" in calls(settings)
    [mlflow] = [call for call in calls(settings) if call.startswith("mlflow")]
    port = running.mlflow_url.rsplit(":", 1)[1]
    assert f"server --host 127.0.0.1 --port {port} --workers 1" in mlflow
    assert settings.tracking in mlflow
    assert sorted(running.processes.stop()) == sorted(["mlflow", *COMPONENTS])


def test_a_second_start_is_refused_and_leaves_the_first_alone(settings):
    first = start(settings, api_port=0, mlflow_port=0)
    with pytest.raises(Permanent, match=r"are running already\. Next: run `make stop` first"):
        start(settings, api_port=0, mlflow_port=0)
    assert set(first.processes.running()) == {"mlflow", *COMPONENTS}


def test_a_database_that_cannot_be_made_is_told_with_airflow_s_last_words(settings, monkeypatch):
    monkeypatch.setenv("MIGRATION_FAILS", "1")
    with pytest.raises(Permanent, match=r"could not make its database:\nno such table: dag Next: read .*migrate\.log"):
        start(settings, api_port=0, mlflow_port=0)


def test_the_password_is_made_once_kept_and_readable_by_its_owner_alone(settings):
    first = start(settings, api_port=0, mlflow_port=0)
    first.processes.stop()
    file = settings.home / "airflow" / "passwords.json"
    assert json.loads(file.read_text()) == {"admin": first.password}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(first.password) >= 12
    assert start(settings, api_port=0, mlflow_port=0).password == first.password


def test_two_installations_have_two_passwords(tmp_path):
    assert installation._password(tmp_path / "one") != installation._password(tmp_path / "two")


def answering(tmp_path, health, dags):
    """An installation whose Airflow answers with `health` and knows the DAGs that `dags` says, ask by ask."""
    asked = []

    def answer(request):
        asked.append((request.method, request.path, request.body))
        if request.path.endswith("/health"):
            return 200, health()
        if request.path.endswith("/dags"):
            return 200, {"dags": [{"dag_id": name} for name in dags()]}
        return 201, {}

    return asked, serve(answer), lambda url: Installation(url, "", "x", Processes(tmp_path))


def test_it_is_ready_when_healthy_with_every_dag_known_and_the_pool_made(tmp_path):
    healths = iter([{}, HEALTHY])
    known = iter([["a"], ["a", "b", "c"]])
    asked, serving, made = answering(tmp_path, lambda: next(healths), lambda: next(known))
    with serving as url:
        wait_ready(made(url), {"a", "b"}, seconds=10)
    assert asked[-1] == ("POST", "/api/v2/pools", {"name": TRAINING_POOL, "slots": 1})
    assert len(asked) == 5


@pytest.mark.parametrize(
    ("health", "dags", "what"),
    [
        pytest.param({}, [], "Airflow's start", id="never healthy"),
        pytest.param(HEALTHY, ["a"], "Reading the DAGs", id="a DAG is missing"),
    ],
)
def test_waiting_for_it_ends(tmp_path, health, dags, what):
    _, serving, made = answering(tmp_path, lambda: health, lambda: dags)
    with serving as url, pytest.raises(Permanent, match=f"{what} took longer than 0 s"):
        wait_ready(made(url), {"a", "b"}, seconds=0.3)

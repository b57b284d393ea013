import signal
import subprocess
import sys
import time

import pytest
from mlflow import MlflowClient

from updraft.registry import Registry
from updraft.tracking import Training, Tried

pytestmark = pytest.mark.slow  # a real MLflow

DIGEST = "a" * 64
TRIALS = 20


def training(count=TRIALS):
    tried = {
        f"logistic trial {n:03}": Tried({"l2": str(n)}, {"loss_fold_1": n / 10}, {"pruned": "false"})
        for n in range(count)
    }
    return Training(digest=DIGEST, partition="2024-01-18", params={"family": "logistic"}, trials=tried)


@pytest.fixture
def registry(mlflow_store, tmp_path):
    return Registry(f"sqlite:///{mlflow_store(tmp_path)}", str(tmp_path / "artifacts"))


def runs(registry, where=""):
    client = MlflowClient(registry.tracking_uri, registry.tracking_uri)
    known = client.get_experiment_by_name("tiny")
    return client.search_runs([known.experiment_id], where, max_results=500) if known else []


def assert_whole(registry, shown):
    children = runs(registry, f"tags.`mlflow.parentRunId` = '{shown}'")
    assert {run.info.status for run in runs(registry)} == {"FINISHED"}
    assert sorted(run.info.run_name for run in children) == sorted(training().trials)
    assert len(runs(registry)) == TRIALS + 1
    by_name = {run.info.run_name: run.data for run in children}
    assert by_name["logistic trial 007"].params == {"l2": "7"}
    assert by_name["logistic trial 007"].metrics == {"loss_fold_1": 0.7}
    assert by_name["logistic trial 007"].tags["updraft.pruned"] == "false"


def test_every_trial_is_a_child_of_its_training_and_a_second_look_adds_none(registry):
    shown = registry.log_training("tiny", training())
    assert_whole(registry, shown)
    assert registry.log_training("tiny", training()) == shown
    assert_whole(registry, shown)


@pytest.mark.parametrize("children", [1, 8, 15])
def test_showing_a_training_that_is_killed_leaves_nothing_running_once_it_is_shown_again(registry, children):
    registry.champion_alias("tiny")
    script = (
        "from tests.unit.test_tracking import training; from updraft.registry import Registry\n"
        f"Registry({registry.tracking_uri!r}, {registry.artifacts!r}).log_training('tiny', training())\n"
    )
    with subprocess.Popen([sys.executable, "-c", script]) as showing:
        while len(runs(registry)) <= children and showing.poll() is None:
            time.sleep(0.02)
        showing.send_signal(signal.SIGKILL)
    assert showing.returncode == -signal.SIGKILL
    assert "RUNNING" in {run.info.status for run in runs(registry)}
    assert_whole(registry, registry.log_training("tiny", training()))

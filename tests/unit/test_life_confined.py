import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest
from tests import parcels

from updraft import features
from updraft.errors import SpecInvalid, TrainingRefused, TrainingStopped
from updraft.lake import Lake
from updraft.ledger import Ledger
from updraft.life import confined, train
from updraft.model import store
from updraft.partition import calendar

pytestmark = pytest.mark.slow  # starts a process per training

AT = "2024-01-18"
HOW = {"code_version": "test", "who": "test"}


@pytest.fixture(autouse=True)
def nothing_is_left_running():
    before = set(psutil.Process().children(recursive=True))
    yield
    assert set(psutil.Process().children(recursive=True)) <= before


def fit(case, lake, how=confined):
    return how.fit(case, calendar(case).at(AT), lake, **HOW)


def records(lake):
    return [(r.kind, r.model) for r in Ledger(lake, "parcels").records()]


def test_a_process_of_its_own_gives_the_same_model_and_one_record(parcels_case, delivered):
    apart = fit(parcels_case, delivered)
    assert fit(parcels_case, delivered, train) == apart
    assert records(delivered) == [("trained", apart.candidate)]
    assert store.load(delivered, "parcels", apart.candidate).digest == apart.candidate


def test_a_refusal_comes_back_as_what_it_is_and_is_recorded_once(delivered, tmp_path):
    case = parcels.write(tmp_path, model={"min_rows": 5000})
    with pytest.raises(TrainingRefused, match="5000 are needed") as refused:
        fit(case, delivered)
    assert "model.min_rows" in refused.value.next_step
    assert records(delivered) == [("refused", None)]


def test_more_memory_than_allowed_is_a_refusal_with_both_numbers(delivered, tmp_path):
    case = parcels.write(tmp_path, model={"memory": "64MB"})
    with pytest.raises(TrainingRefused, match=r"took \d+MB of memory, 64MB are allowed") as refused:
        fit(case, delivered)
    assert "model.memory" in refused.value.next_step
    assert records(delivered) == [("refused", None)], "for the same attempt would end the same way"


def test_longer_than_the_deadline_is_worth_another_try(delivered, tmp_path):
    case = parcels.write(tmp_path, model={"deadline": "0m"})
    with pytest.raises(TrainingStopped, match="longer than 0d"):
        fit(case, delivered)
    assert records(delivered) == []


def test_a_spec_that_changes_meanwhile_is_noticed(delivered, tmp_path):
    case = parcels.write(tmp_path)
    parcels.write(tmp_path, model={"seed": 2})
    with pytest.raises(SpecInvalid, match="was changed"):
        fit(case, delivered)
    assert records(delivered) == []


def the_training():
    """Wait for the training of this process; a test runner may have other children, left by whatever ran before."""
    while True:
        for child in psutil.Process().children():
            with contextlib.suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
                if confined.__name__ in child.cmdline():
                    return child
        time.sleep(0.01)


def kill_child_after(seconds):
    """Kill the training of this process, some time after it began."""

    def kill():
        found = the_training()
        time.sleep(seconds)
        with contextlib.suppress(psutil.NoSuchProcess):
            found.kill()

    thread = threading.Thread(target=kill)
    thread.start()
    return thread


def test_a_training_killed_again_and_again_converges_to_the_same_model(parcels_case, delivered):
    stopped = 0
    for seconds in (0, 0.5, 1, 1.5, 2, 3):
        thread = kill_child_after(seconds)
        try:
            fit(parcels_case, delivered)
        except TrainingStopped as killed:
            assert "signal 9" in str(killed)  # noqa: PT017 - a late killer finds the training done
            stopped += 1
        thread.join()
    assert stopped >= 2
    last = fit(parcels_case, delivered)
    assert records(delivered) == [("trained", last.candidate)]
    assert last == fit(parcels_case, delivered, train)
    assert store.load(delivered, "parcels", last.candidate).digest == last.candidate


def test_a_training_does_not_outlive_its_caller(parcels_case, delivered):
    script = (
        "from updraft.lake import Lake; from updraft.life import confined; from updraft.partition import calendar\n"
        "from updraft.spec.load import load; from pathlib import Path\n"
        f"case = load('parcels', Path({str(parcels_case.folder.parent)!r}))\n"
        f"confined.fit(case, calendar(case).at({AT!r}), Lake({delivered.uri!r}), code_version='test', who='test')\n"
    )
    with subprocess.Popen([sys.executable, "-c", script]) as caller:
        known = psutil.Process(caller.pid)
        while not (children := known.children()):
            assert caller.poll() is None
            time.sleep(0.01)
        os.kill(caller.pid, signal.SIGKILL)
    gone, alive = psutil.wait_procs(children, timeout=60)
    assert (len(gone), alive) == (1, [])
    assert fit(parcels_case, delivered) == fit(parcels_case, delivered, train)


@pytest.mark.deep
def test_a_search_killed_again_and_again_goes_on_and_ends_the_same(delivered, tmp_path):
    case = parcels.write(tmp_path, model={"tuning": {"trials": 30}})
    counts = []
    for trials in (1, 10, 20, 32, 45):
        killer = threading.Thread(target=kill_child_when, args=(lambda n=trials: len(kept(delivered)) >= n,))
        killer.start()
        with contextlib.suppress(TrainingStopped):
            fit(case, delivered)
        killer.join()
        counts.append(len(kept(delivered)))
    assert counts == sorted(counts)
    assert counts[0] < 60
    last = fit(case, delivered)
    assert len(kept(delivered)) == 60, "thirty per family, none twice"
    fresh = Lake(str(tmp_path / "fresh"))
    parcels.deliver(case, fresh, calendar(case).keys("2024-01-01", "2024-02-11"))
    features.build(case, calendar(case).keys("2024-01-01", AT), fresh)
    assert fit(case, fresh).candidate == last.candidate
    assert records(delivered) == [("trained", last.candidate)]


def kept(lake):
    return lake.keys("tuning/parcels") if (Path(lake.uri) / "tuning").exists() else []


def kill_child_when(ready):
    """Kill the training of this process once something is so, if it lives that long."""
    found = the_training()
    with contextlib.suppress(psutil.NoSuchProcess):
        while found.is_running() and found.status() != psutil.STATUS_ZOMBIE and not ready():
            time.sleep(0.01)
        found.kill()

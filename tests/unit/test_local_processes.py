import json
import os
import socket
import subprocess
import sys
import time

import psutil
import pytest

from updraft.errors import Permanent
from updraft.local import processes as module
from updraft.local.processes import Processes, free_port, program, tail, wait_until

pytestmark = pytest.mark.slow

SLEEPER = "import time; print('up', flush=True); time.sleep(60)"
PARENT = (
    "import subprocess, sys, time; child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']); "
    "print(child.pid, flush=True); time.sleep(60)"
)
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"


@pytest.fixture
def processes(tmp_path):
    started = Processes(tmp_path)
    yield started
    started.stop()


def start(processes, tmp_path, name, code):
    """Start a Python program and wait for its first line."""
    processes.start(name, [sys.executable, "-c", code], dict(os.environ))
    log = tmp_path / "logs" / f"{name}.log"
    wait_until(lambda: log.exists() and log.read_text().strip(), seconds=20, what="A line")
    return log.read_text().split()[0]


def pid_of(tmp_path, name):
    return {entry["name"]: entry["pid"] for entry in json.loads((tmp_path / "processes.json").read_text())}[name]


def test_what_was_started_runs_until_it_is_stopped(processes, tmp_path):
    start(processes, tmp_path, "sleeper", SLEEPER)
    pid = pid_of(tmp_path, "sleeper")
    assert processes.running() == ["sleeper"]
    processes.check()
    assert processes.stop() == ["sleeper"]
    assert processes.running() == []
    assert not psutil.pid_exists(pid)
    assert not (tmp_path / "processes.json").exists()


def test_another_command_can_stop_it(processes, tmp_path):
    start(processes, tmp_path, "sleeper", SLEEPER)
    assert Processes(tmp_path).stop() == ["sleeper"]
    assert processes.running() == []


def test_stopping_ends_the_children_too(processes, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "GRACE", 0.3)
    grandchild = psutil.Process(int(start(processes, tmp_path, "parent", PARENT)))
    assert grandchild.is_running()
    processes.stop()
    assert not grandchild.is_running() or grandchild.status() == psutil.STATUS_ZOMBIE


def test_one_that_does_not_want_to_end_is_killed(processes, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "GRACE", 0.3)
    start(processes, tmp_path, "stubborn", STUBBORN)
    pid = pid_of(tmp_path, "stubborn")
    assert processes.stop() == ["stubborn"]
    assert not psutil.pid_exists(pid)


def test_a_stranger_that_got_the_number_is_left_alone(processes, tmp_path):
    with subprocess.Popen([sys.executable, "-c", SLEEPER]) as stranger:
        born = psutil.Process(stranger.pid).create_time()
        recycled = [{"name": "sleeper", "pid": stranger.pid, "born": born - 100}]
        (tmp_path / "processes.json").write_text(json.dumps(recycled))
        assert processes.running() == []
        assert processes.stop() == []
        assert stranger.poll() is None
        stranger.kill()


def test_one_that_has_ended_is_named_with_its_last_words(processes, tmp_path):
    processes.start("broken", [sys.executable, "-c", "print('out of paper'); raise SystemExit(3)"], dict(os.environ))
    wait_until(lambda: not processes.running(), seconds=20, what="The end")
    with pytest.raises(Permanent, match=r"broken has ended:\nout of paper Next: read .*broken\.log"):
        processes.check()


def test_stopping_nothing_is_no_error(tmp_path):
    assert Processes(tmp_path / "nowhere").stop() == []
    assert Processes(tmp_path / "nowhere").running() == []


def test_several_are_known_by_their_names(processes, tmp_path):
    for name in ("one", "two"):
        start(processes, tmp_path, name, SLEEPER)
    assert processes.running() == ["one", "two"]
    assert processes.stop() == ["one", "two"]


@pytest.mark.parametrize(
    ("written", "told"),
    [
        pytest.param("", "", id="nothing"),
        pytest.param("a\nb\nc\nd\n", "c\nd", id="the last lines"),
        pytest.param("a", "a", id="less than asked for"),
    ],
)
def test_a_tail_is_the_last_lines_of_a_log(tmp_path, written, told):
    (tmp_path / "x.log").write_text(written)
    assert tail(tmp_path / "x.log", lines=2) == told


def test_a_tail_of_a_log_that_is_not_there_is_empty_and_bytes_that_are_no_text_are_no_obstacle(tmp_path):
    assert tail(tmp_path / "none.log") == ""
    (tmp_path / "x.log").write_bytes(b"\xff\xfe ok\n")
    assert tail(tmp_path / "x.log").endswith("ok")


def test_a_port_that_is_free_is_the_one_that_was_wanted():
    wanted = free_port(0)
    assert free_port(wanted) == wanted


def test_a_port_that_is_taken_is_replaced_by_another():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        other = free_port(taken.getsockname()[1])
        assert other != taken.getsockname()[1]
        assert 1024 < other < 65536


def test_programs_are_those_beside_this_python():
    assert program("airflow") == os.path.join(os.path.dirname(sys.executable), "airflow")


def test_waiting_ends_with_the_first_yes():
    answers = iter([False, False, True])
    wait_until(lambda: next(answers), seconds=5, what="An answer")


def test_waiting_ends_at_the_deadline_with_what_it_waited_for():
    began = time.monotonic()
    with pytest.raises(Permanent, match="Airflow's start took longer than 0 s"):
        wait_until(lambda: False, seconds=0.2, what="Airflow's start")
    assert time.monotonic() - began < 3


def test_waiting_ends_early_when_a_process_has_ended(processes):
    processes.start("broken", [sys.executable, "-c", "raise SystemExit('no')"], dict(os.environ))
    with pytest.raises(Permanent, match="broken has ended"):
        wait_until(lambda: False, seconds=30, what="Airflow's start", processes=processes)

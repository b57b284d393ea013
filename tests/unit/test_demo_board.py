"""What many ask of the newest runs is asked of Airflow once; a process that has ended ends the waiting."""

import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.plugins.served import serve

from updraft.demo.board import NEWEST, Board
from updraft.errors import Permanent
from updraft.local.airflow_api import AirflowApi
from updraft.local.processes import Processes

RUN = {"dag_id": "a__score", "dag_run_id": "r", "state": "running"}


@pytest.fixture
def asked():
    return []


@pytest.fixture
def board(asked, tmp_path):
    """A board over an Airflow that knows one new run, and an old one only when asked for it."""

    def answer(request):
        asked.append((request.path, request.query))
        old = request.path.endswith("/dagRuns/old")
        return 200, {**RUN, "state": "success"} if old else {"dag_runs": [RUN]}

    with serve(answer) as url:
        yield Board(AirflowApi(url, "x"), Processes(tmp_path), glance=0.3)


def test_the_state_of_a_new_run_is_seen_and_of_an_old_one_asked_for(board, asked):
    assert board.state("a__score", "r") == "running"
    assert board.state("a__score", "old") == "success"
    assert [path for path, _ in asked][-1] == "/api/v2/dags/a__score/dagRuns/old"
    assert asked[0] == ("/api/v2/dags/~/dagRuns", {"order_by": "-id", "limit": str(NEWEST)})


def test_those_who_ask_together_share_a_look(board, asked):
    board.newest()
    with ThreadPoolExecutor(8) as crowd:
        seen = list(crowd.map(lambda _: board.newest(), range(8)))
    assert len(asked) <= 3  # one before, one for those who came before it, one for who came later
    assert all(list(one) == [("a__score", "r")] for one in seen)


def test_looks_are_a_glance_apart(board, asked):
    began = time.monotonic()
    for _ in range(3):
        board.newest()
    assert time.monotonic() - began >= 0.6
    assert len(asked) == 3


def test_a_process_that_has_ended_ends_the_waiting_and_is_named(tmp_path, asked):
    processes = Processes(tmp_path)
    processes.start("scheduler", [sys.executable, "-c", "print('database is locked')"], {})
    while processes.running():
        time.sleep(0.05)
    with pytest.raises(Permanent, match=r"(?s)scheduler has ended:.*database is locked.*Next: read .*scheduler\.log"):
        Board(AirflowApi("http://127.0.0.1:9", "x"), processes, glance=0.01).newest()

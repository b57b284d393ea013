"""The ledger: what is acknowledged is kept, in one order, whoever writes beside it and however its replies are lost."""

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from threading import Barrier

import numpy as np
import pytest

from updraft.errors import LakeUnavailable, NameInvalid, WriteConflict
from updraft.lake import Lake
from updraft.ledger import FACTS_LIMIT, Ledger
from updraft.records import NOTHING, State, canonical, digest


@pytest.fixture
def ledger(lake):
    return Ledger(lake, "flights")


def test_a_record_is_canonical_json_that_names_the_one_before(ledger, tmp_path):
    first = ledger.append("trained", why="weekly", who="train", partition="2013-04-01", model="m1", facts={"n": 3})
    second = ledger.append("refused", why="too few rows", who="train")
    stored = (tmp_path / "lake/ledger/flights/00000001.json").read_bytes()
    assert stored == canonical(asdict(first))
    assert (first.sequence, first.previous) == (1, NOTHING)
    assert (second.sequence, second.previous) == (2, digest(stored))
    assert ledger.records() == [first, second]
    assert ledger.verify() == 2


def test_an_empty_ledger_declares_that_there_is_no_champion(ledger):
    assert ledger.state() == State()
    assert ledger.verify() == 0


def test_facts_are_plain_json_and_what_is_not_finite_is_null(ledger):
    facts = {"auc": np.float64(0.7), "rows": np.int64(3), "psi": float("nan"), "odds": float("inf"), "gates": ("a",)}
    ledger.append("gated", why="w", who="w", facts=facts)
    assert ledger.records()[0].facts == {"auc": 0.7, "rows": 3, "psi": None, "odds": None, "gates": ["a"]}


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param({"kind": "guessed"}, id="a kind that is none"),
        pytest.param({"kind": "promoted"}, id="a promotion of nothing"),
        pytest.param({"kind": "rolled_back", "model": ""}, id="a rollback to nothing"),
        pytest.param({"kind": "gated", "facts": {"x": "x" * FACTS_LIMIT}}, id="facts beyond the limit"),
    ],
)
def test_what_makes_no_sense_is_refused_and_nothing_is_written(ledger, arguments):
    with pytest.raises(ValueError, match=r"no record|facts of more"):
        ledger.append(why="w", who="w", **arguments)
    assert ledger.verify() == 0


def test_long_reasons_are_cut(ledger):
    record = ledger.append("decided", why="w" * 9000, who="a" * 900)
    assert (len(record.why), len(record.who)) == (2000, 200)


@pytest.mark.parametrize("use_case", ["../flights", "a/b", "", "Flights", "x" * 64])
def test_a_use_case_that_is_no_name_reaches_no_path(tmp_path, use_case):
    with pytest.raises(NameInvalid):
        Ledger(Lake(str(tmp_path / "lake")), use_case).append("decided", why="w", who="w")


def test_an_expectation_that_raises_abandons_the_record(ledger):
    def expect(state):
        raise WriteConflict("champion changed", next_step="evaluate again")

    with pytest.raises(WriteConflict, match="champion changed"):
        ledger.append("promoted", why="w", who="w", model="m", expect=expect)
    assert ledger.verify() == 0


def test_an_expectation_is_checked_again_on_fresh_state_after_a_lost_race(ledger):
    seen = []

    def expect(state):
        seen.append(state.champion)
        if len(seen) == 1:
            ledger.append("promoted", why="faster", who="other", model="theirs")

    ledger.append("promoted", why="slower", who="me", model="mine", expect=expect)
    assert seen == [None, "theirs"]
    assert [r.model for r in ledger.records()] == ["theirs", "mine"]


def test_a_state_that_is_old_by_now_is_read_again(ledger):
    before, seen = ledger.state(), []
    ledger.append("promoted", why="faster", who="other", model="theirs")
    ledger.append("promoted", why="w", who="w", model="m", after=before, expect=lambda s: seen.append(s.champion))
    assert seen == [None, "theirs"]
    assert [r.model for r in ledger.records()] == ["theirs", "m"]
    assert ledger.verify() == 2


def test_a_writer_that_never_wins_gives_up(ledger, monkeypatch):
    monkeypatch.setattr("tenacity.nap.time.sleep", lambda _: None)

    def expect(state):
        ledger.append("decided", why="faster", who="other")

    with pytest.raises(WriteConflict, match="40 times"):
        ledger.append("decided", why="slower", who="me", expect=expect)


def test_sixteen_threads_append_without_loss_or_gap(ledger):
    start = Barrier(16)

    def write(n):
        start.wait()
        return ledger.append("decided", why=f"w{n}", who="w").sequence

    with ThreadPoolExecutor(16) as pool:
        acknowledged = list(pool.map(write, range(16)))
    assert sorted(acknowledged) == list(range(1, 17))
    assert {r.why for r in ledger.records()} == {f"w{n}" for n in range(16)}
    assert ledger.verify() == 16


APPENDING = """
import sys
from updraft.lake import Lake
from updraft.ledger import Ledger
ledger = Ledger(Lake(sys.argv[1]), "flights")
for n in range(int(sys.argv[3])):
    print(ledger.append("decided", why=f"{sys.argv[2]}.{n}", who="w").sequence, flush=True)
"""


def process(lake: Path, who: str, times: int) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", APPENDING, str(lake), who, str(times)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


@pytest.mark.slow
def test_processes_append_without_loss_or_gap(ledger, tmp_path):
    writers = [process(tmp_path / "lake", f"p{n}", 5) for n in range(4)]
    acknowledged = [int(line) for writer in writers for line in writer.communicate(timeout=60)[0].split()]
    assert sorted(acknowledged) == list(range(1, 21))
    assert ledger.verify() == 20


@pytest.mark.slow
def test_a_killed_writer_leaves_every_acknowledged_record_and_no_half_one(ledger, tmp_path):
    acknowledged = 0
    for round_ in range(4):
        writer = process(tmp_path / "lake", f"k{round_}", 10_000)
        assert writer.stdout is not None
        acknowledged = int(writer.stdout.readline())
        time.sleep(0.03 * round_)
        writer.kill()
        acknowledged = max([acknowledged, *(int(line) for line in writer.stdout.read().split())])
        writer.wait()
        writer.stdout.close()
        assert ledger.verify() >= acknowledged
    assert ledger.append("decided", why="after", who="w").sequence == ledger.verify()


class Mute(Lake):
    """A lake whose replies to a conditional put are lost, though the put was done."""

    def create(self, key, content):
        super().create(key, content)
        raise LakeUnavailable("reset", next_step="retry")


class Repeating(Lake):
    """A lake that repeats a conditional put by itself and reports the second answer."""

    def create(self, key, content):
        super().create(key, content)
        return super().create(key, content)


class Down(Lake):
    """A lake that takes nothing."""

    def create(self, key, content):
        raise LakeUnavailable("down", next_step="retry")


class Unmarked(Lake):
    """A lake that fails after the record and before the mark."""

    def put(self, key, content):
        raise LakeUnavailable("down", next_step="retry")


@pytest.mark.parametrize("kind", [Mute, Repeating, Unmarked])
def test_a_lost_reply_does_not_make_a_second_record(tmp_path, kind):
    ledger = Ledger(kind(str(tmp_path / "lake")), "flights")
    assert [ledger.append("decided", why="w", who="w").sequence for _ in range(2)] == [1, 2]
    assert ledger.verify() == 2


def test_a_lake_that_is_down_says_so(tmp_path):
    with pytest.raises(LakeUnavailable):
        Ledger(Down(str(tmp_path / "lake")), "flights").append("decided", why="w", who="w")

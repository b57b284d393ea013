import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from threading import Barrier

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from updraft.errors import LakeUnavailable, LedgerBroken, NameInvalid, WriteConflict
from updraft.lake import Lake
from updraft.ledger import FACTS_LIMIT, Ledger
from updraft.records import NOTHING, Record, State, add_up, canonical, digest

FOLDER = "lake/ledger/flights"


@pytest.fixture
def ledger(tmp_path):
    return Ledger(Lake(str(tmp_path / "lake")), "flights")


@pytest.fixture
def five(ledger, tmp_path):
    """A ledger of five records and its folder."""
    for n in range(1, 6):
        ledger.append("promoted", why=f"reason {n}", who="test", partition=f"2013-01-0{n}", model=f"m{n}")
    return ledger, tmp_path / FOLDER


def path(folder: Path, sequence: int) -> Path:
    return folder / f"{sequence:08d}.json"


# ---- writing ----------------------------------------------------------------------------------------------------


def test_a_record_is_canonical_json_that_names_the_one_before(ledger, tmp_path):
    first = ledger.append("trained", why="weekly", who="train", partition="2013-04-01", model="m1", facts={"n": 3})
    second = ledger.append("refused", why="too few rows", who="train")
    stored = path(tmp_path / FOLDER, 1).read_bytes()
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


# ---- expectations and races -------------------------------------------------------------------------------------


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


# ---- tampering --------------------------------------------------------------------------------------------------


def edited(folder, sequence, **changes):
    found = json.loads(path(folder, sequence).read_bytes())
    path(folder, sequence).write_bytes(canonical({**found, **changes}))


@pytest.mark.parametrize(
    ("harm", "named"),
    [
        pytest.param(lambda f: path(f, 1).unlink(), "Record 1 .* is missing", id="the first is gone"),
        pytest.param(lambda f: path(f, 3).unlink(), "Record 3 .* is missing", id="one in the middle is gone"),
        pytest.param(lambda f: path(f, 5).unlink(), "Record 5 .* is missing", id="the newest is gone"),
        pytest.param(lambda f: [path(f, n).unlink() for n in (3, 4, 5)], "Record 3 .* missing", id="the tail is gone"),
        pytest.param(lambda f: edited(f, 2, model="evil"), "Record 2 .* was changed", id="another model"),
        pytest.param(lambda f: edited(f, 5, model="evil"), "Record 5 .* was changed", id="another newest model"),
        pytest.param(lambda f: edited(f, 3, previous="0" * 64), "Record 3 .* was changed", id="another predecessor"),
        pytest.param(lambda f: edited(f, 1, previous="1" * 64), "Record 1 .* was changed", id="something before all"),
        pytest.param(lambda f: edited(f, 3, kind="crowned"), "Record 3 .* unknown kind", id="another kind"),
        pytest.param(lambda f: edited(f, 3, more=1), "Record 3 .* was changed", id="another field"),
        pytest.param(lambda f: path(f, 4).write_bytes(b"{"), "Record 4 .* was changed", id="cut short"),
        pytest.param(lambda f: path(f, 4).write_bytes(b"[" * 99_999), "Record 4 .* was changed", id="a deep nest"),
        pytest.param(
            lambda f: path(f, 4).write_bytes(path(f, 2).read_bytes()), "Record 4 .* copy of record 2", id="copy"
        ),
        pytest.param(
            lambda f: path(f, 6).write_bytes(path(f, 5).read_bytes()), "Record 6 .* copy of record 5", id="twice"
        ),
        pytest.param(lambda f: path(f, 99_999_999).write_bytes(b"{}"), "Record 6 .* is missing", id="a far number"),
        pytest.param(lambda f: (f / "head").write_bytes(b"{}"), "mark .* was changed", id="no mark"),
        pytest.param(lambda f: (f / "3.json").write_bytes(b"{}"), "holds '3.json'", id="a stranger"),
    ],
)
def test_what_was_changed_or_is_missing_is_named(five, harm, named):
    ledger, folder = five
    harm(folder)
    with pytest.raises(LedgerBroken, match=named):
        ledger.verify()


def test_nothing_is_added_to_a_broken_ledger(five):
    ledger, folder = five
    edited(folder, 2, why="nothing happened")
    with pytest.raises(LedgerBroken):
        ledger.append("promoted", why="w", who="w", model="m6")
    assert not path(folder, 6).exists()


def test_a_mark_that_lags_or_is_lost_is_no_damage(five):
    ledger, folder = five
    old = (folder / "head").read_bytes()
    ledger.append("decided", why="w", who="w")
    (folder / "head").write_bytes(old)
    assert ledger.verify() == 6
    (folder / "head").unlink()
    assert ledger.verify() == 6


@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sequence=st.integers(1, 5), where=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_any_flipped_bit_is_found_where_it_is(five, sequence, where, bit):
    ledger, folder = five
    sound = path(folder, sequence).read_bytes()
    harmed = bytearray(sound)
    harmed[int(where * len(sound))] ^= 1 << bit
    path(folder, sequence).write_bytes(bytes(harmed))
    try:
        with pytest.raises(LedgerBroken, match=f"Record {sequence} "):
            ledger.state()
    finally:
        path(folder, sequence).write_bytes(sound)


# ---- what the records add up to ---------------------------------------------------------------------------------


def record(sequence, kind, model=None, partition=None, at="2013-01-01T00:00:00+00:00", **facts):
    return Record(sequence, "", kind, at, partition, "w", "w", model, facts, "t")


def state_of(*steps):
    return add_up([record(n, *step) for n, step in enumerate(steps, start=1)], "")


@pytest.mark.parametrize(
    ("steps", "champion", "previous", "challenger"),
    [
        pytest.param([("gated", "a"), ("rejected", "a")], None, (), None, id="a rejected model is nothing"),
        pytest.param([("promoted", "a")], "a", (), None, id="the first champion"),
        pytest.param([("promoted", "a"), ("promoted", "b")], "b", ("a",), None, id="the one before is kept"),
        pytest.param([("promoted", m) for m in "aba"], "a", ("b",), None, id="no champion is its own predecessor"),
        pytest.param([("promoted", m) for m in "abcab"], "b", ("c", "a"), None, id="none is listed twice"),
        pytest.param([("promoted", m) for m in "abc"] + [("rolled_back", "b")], "b", ("a",), None, id="one back"),
        pytest.param([("promoted", m) for m in "abc"] + [("rolled_back", "a")], "a", (), None, id="b was skipped"),
        pytest.param([("promoted", "a"), ("rolled_back", "x")], "x", (), None, id="back to a stranger"),
        pytest.param([("promoted", m) for m in "ab"] + [("retired", "b")], None, ("a",), None, id="champion retired"),
        pytest.param([("promoted", m) for m in "ab"] + [("retired", "a")], "b", (), None, id="predecessor retired"),
        pytest.param([("promoted", "a"), ("challenger", "b")], "a", (), "b", id="a challenger"),
        pytest.param([("challenger", "b"), ("promoted", "b")], "b", (), None, id="the challenger won"),
        pytest.param([("challenger", "b"), ("rejected", "b")], None, (), None, id="the challenger lost"),
        pytest.param([("challenger", "b"), ("rejected", "c")], None, (), "b", id="another one lost"),
    ],
)
def test_records_add_up_to_who_is_champion(steps, champion, previous, challenger):
    state = state_of(*steps)
    assert (state.champion, state.previous, state.challenger) == (champion, previous, challenger)


def test_the_newest_training_and_promotion_are_remembered():
    state = state_of(
        ("trained", "a", "2013-01-01"), ("promoted", "a"), ("trained", "b", "2013-01-02"), ("rejected", "b")
    )
    assert state.last_trained == ("2013-01-02", 3)
    assert state.last_promotion == 2
    assert state.head == 4


def test_an_incident_is_open_until_a_decision_closes_it_or_the_champion_changes():
    incidents = [record(1, "incident"), record(2, "incident"), record(3, "incident")]
    closing = record(4, "decided", closes=[1, 3])
    assert add_up(incidents, "").open_incidents == tuple(incidents)
    assert add_up([*incidents, closing], "").open_incidents == (incidents[1],)
    assert add_up([*incidents, record(4, "resolved", closes=[2])], "").open_incidents == (incidents[0], incidents[2])
    assert add_up([*incidents, record(4, "rolled_back", "a")], "").open_incidents == ()
    assert add_up([*incidents, record(4, "trained", "a")], "").open_incidents == tuple(incidents)


def test_order_is_the_sequence_whatever_the_clock_said():
    kinds = [("promoted", "a"), ("promoted", "b"), ("rolled_back", "a")]
    backwards = [record(n, *step, None, f"2013-01-0{9 - n}T00:00:00+00:00") for n, step in enumerate(kinds, start=1)]
    assert add_up(backwards, "").champion == state_of(*kinds).champion == "a"


KINDS = st.sampled_from(
    ["promoted", "rolled_back", "retired", "rejected", "challenger", "trained", "incident", "decided"]
)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(st.tuples(KINDS, st.sampled_from("abcd")), max_size=12))
def test_there_is_one_champion_or_declaredly_none_and_it_is_never_its_own_predecessor(steps):
    state = state_of(*steps)
    crowned = {model for kind, model in steps if kind in ("promoted", "rolled_back")}
    assert state.champion is None or state.champion in crowned
    assert state.champion not in state.previous
    assert len(set(state.previous)) == len(state.previous)
    assert set(state.previous) <= crowned

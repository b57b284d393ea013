"""Promoting again, late and at once: one champion or none, and it passed its gates."""

import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Barrier

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.promoting import CASE, DAY, A, B, C, D, crown, decide_and_promote, examined, fine, kinds, refusing

from updraft.errors import ModelRejected, NoChampion, WriteConflict
from updraft.lake import Lake
from updraft.ledger import Ledger
from updraft.promote import gate, promote, rollback

pytestmark = pytest.mark.slow  # talks to a real MLflow


@pytest.mark.parametrize("outcome", ["PASS", "FAIL", "INSUFFICIENT"])
def test_a_retry_gives_the_same_result_and_adds_nothing(lake, shared, outcome):
    first, second = (decide_and_promote(lake, shared, CASE, A, examined(outcome), **DAY) for _ in range(2))
    assert first == second
    assert len(kinds(lake)) == 2


class Killed(BaseException):
    """What a SIGKILL looks like from inside."""


class Dying(Lake):
    """A lake whose writer is killed after its n-th object."""

    def create(self, key, content):
        done = super().create(key, content)
        if len(self.keys("ledger/flights")) >= self.options["after"]:
            raise Killed
        return done


@pytest.mark.parametrize("after", [1, 2, 3, 4])
@pytest.mark.parametrize("outcome", ["PASS", "FAIL"])
def test_a_retry_after_a_kill_at_any_step_converges(lake, shared, after, outcome):
    with suppress(Killed):
        decide_and_promote(Dying(lake.uri, {"after": after}), shared, CASE, A, examined(outcome), **DAY)
    result = decide_and_promote(lake, shared, CASE, A, examined(outcome), **DAY)
    assert result.outcome == {"PASS": "promoted", "FAIL": "rejected"}[outcome]
    assert kinds(lake) == [("gated", "a"), (result.outcome, "a")]
    assert Ledger(lake, "flights").faults() == []


def test_a_retry_brings_the_alias_where_a_killed_attempt_did_not(lake, registry):
    gate(lake, CASE, A, examined(), **DAY)
    Ledger(lake, "flights").append("promoted", why="w", who="w", partition="2013-04-01", model=A)
    assert decide_and_promote(lake, registry, CASE, A, examined(), **DAY).alias == "follows"
    assert registry.champion_alias("flights") == A


def test_a_retry_does_not_bring_back_what_was_rolled_back_since(lake, shared):
    crown(lake, A)
    decide_and_promote(lake, shared, CASE, B, examined(against=A), **DAY)
    rollback(lake, shared, CASE, who="ops", why="complaints", verify=fine)
    before = kinds(lake)
    result = decide_and_promote(lake, shared, CASE, B, examined(against=A), **DAY)
    assert (result.outcome, result.champion, result.why) == ("kept", A, "promoted by record 3 and replaced since")
    assert kinds(lake) == before


def test_a_training_that_made_the_champion_again_changes_nothing(lake, shared):
    crown(lake, A)
    result = decide_and_promote(lake, shared, CASE, A, examined(against=A), **DAY)
    assert (result.outcome, result.champion, result.why) == ("kept", A, "champion already, since record 1")
    assert kinds(lake) == [("promoted", "a")]


def test_a_comparison_with_a_former_champion_is_void(lake, shared):
    crown(lake, A, B)
    with pytest.raises(WriteConflict, match="about champion aaaaaaaaaaaa, but now it is bbbbbbbbbbbb") as stale:
        decide_and_promote(lake, shared, CASE, C, examined(against=A), **DAY)
    assert "examine the candidate against the present champion" in stale.value.next_step
    assert kinds(lake) == [("promoted", "a"), ("promoted", "b")]


def test_a_champion_that_changed_between_gate_and_promotion_voids_the_comparison(lake, shared):
    crown(lake, A)
    gate(lake, CASE, C, examined(against=A), **DAY)
    crown(lake, B)
    with pytest.raises(WriteConflict):
        promote(lake, shared, CASE, C, **DAY)
    result = decide_and_promote(lake, shared, CASE, C, examined(against=B), **DAY)
    assert (result.outcome, result.champion) == ("promoted", C)


def test_of_racing_promotions_exactly_one_wins_and_the_others_are_told_to_look_again(lake, shared):
    crown(lake, D)
    candidates = [f"{n:x}" * 64 for n in range(8)]
    for candidate in candidates:
        gate(lake, CASE, candidate, examined(against=D), **DAY)
    start = Barrier(len(candidates))

    def race(candidate):
        start.wait()
        try:
            return promote(lake, shared, CASE, candidate, **DAY).outcome
        except WriteConflict:
            return "look again"

    with ThreadPoolExecutor(len(candidates)) as pool:
        outcomes = list(pool.map(race, candidates))
    assert sorted(outcomes) == ["look again"] * 7 + ["promoted"]
    state = Ledger(lake, "flights").state()
    assert state.champion == candidates[outcomes.index("promoted")]
    assert [r.kind for r in state.records].count("promoted") == 2


def test_of_equal_attempts_at_once_one_decides_and_all_say_the_same(lake, shared):
    start = Barrier(6)

    def attempt(_):
        start.wait()
        return decide_and_promote(lake, shared, CASE, A, examined(), **DAY)

    with ThreadPoolExecutor(6) as pool:
        results = list(pool.map(attempt, range(6)))
    assert {(r.outcome, r.sequence, r.champion) for r in results} == {("promoted", 2, A)}
    assert kinds(lake) == [("gated", "a"), ("promoted", "a")]


MODELS = st.sampled_from([A, B, C])
DAYS = st.sampled_from(["2013-04-01", "2013-04-02"])
OUTCOMES = st.sampled_from(["PASS", "FAIL", "INSUFFICIENT"])
STEPS = st.one_of(
    st.tuples(st.just("decide"), MODELS, OUTCOMES, DAYS, st.sampled_from([None, A, B, C, "present"])),
    st.tuples(st.just("promote"), MODELS, DAYS),
    st.tuples(st.just("roll back"), st.sets(MODELS)),
)


def step(lake, registry, what, *how):
    if what == "decide":
        model, outcome, day, against = how
        champion = Ledger(lake, "flights").state().champion if against == "present" else against
        decide_and_promote(lake, registry, CASE, model, examined(outcome, champion), partition=day, who="t")
    elif what == "promote":
        promote(lake, registry, CASE, how[0], partition=how[1], who="t")
    else:
        rollback(lake, registry, CASE, who="t", why="w", verify=refusing(*how[0]))


@settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(STEPS, max_size=7))
def test_whatever_happens_there_is_one_champion_or_none_and_it_passed_its_gates(shared, steps):
    with tempfile.TemporaryDirectory() as folder:
        lake = Lake(str(Path(folder) / "lake"))
        for taken in steps:
            try:
                step(lake, shared, *taken)
            except (WriteConflict, ModelRejected, NoChampion):
                continue
        ledger = Ledger(lake, "flights")
        assert ledger.verify() == len(ledger.records())
        state = ledger.state()
        crowned = [r for r in state.records if r.kind == "promoted"]
        assert (state.champion is None) == (not crowned)
        for record in crowned:
            gated = state.records[record.facts["gated"] - 1]
            assert (gated.kind, gated.model, gated.facts["outcome"]) == ("gated", record.model, "PASS")
            assert gated.facts["champion"] == record.facts["champion"]
        assert state.champion in [None, *(r.model for r in crowned)]

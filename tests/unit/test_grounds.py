import pytest

from updraft.errors import ModelRejected, WriteConflict
from updraft.grounds import Approval, demand_champion, newest_gated, objection, settled
from updraft.model.constant import Constant
from updraft.model.learner import Learner
from updraft.records import Record, State
from updraft.tracking import checked
from updraft.train.fitted import Fitted

MODEL = "a" * 64


def gated(sequence=1, outcome="PASS", **facts):
    facts = {"outcome": outcome, "champion": None, **facts}
    return Record(sequence, "0" * 64, "gated", "now", "p", "me", f"{outcome}, so", MODEL, facts, "t")


def test_the_newest_examination_at_a_partition_counts():
    state = State(records=(gated(1, "FAIL"), gated(2)))
    assert newest_gated(state, MODEL, "p").sequence == 2
    assert newest_gated(state, MODEL, "q") is None


@pytest.mark.parametrize(
    ("outcome", "approval", "why"),
    [
        pytest.param("PASS", None, "", id="nobody need be asked"),
        pytest.param("FAIL", None, "FAIL, so", id="the gates said no"),
        pytest.param("PASS", Approval("ann", "rejected", MODEL, 1), "ann rejected it", id="a person said no"),
        pytest.param("PASS", Approval("ann", "approved", MODEL, 9), "record 9, the newest is 1", id="shown another"),
    ],
)
def test_what_stands_in_the_way_is_named(make_case, outcome, approval, why):
    said = objection(make_case(), gated(outcome=outcome), approval)
    assert (said == "") if not why else (why in said)


@pytest.mark.parametrize(
    ("spec", "examined", "stands"),
    [(False, False, False), (True, False, True), (False, True, True), (True, True, True)],
)
def test_a_dry_run_promotes_nothing_whether_it_was_one_then_or_is_now(make_case, spec, examined, stands):
    said = objection(make_case(gates={"dry_run": spec}), gated(dry_run=examined), None)
    assert said.startswith("a dry run, `gates.dry_run`: nothing is promoted; otherwise PASS, so") is stands
    assert bool(said) is stands


def test_a_candidate_that_was_never_promoted_is_not_settled_and_another_champion_is_a_conflict():
    assert settled(State(), MODEL, "p") is None
    with pytest.raises(WriteConflict):
        demand_champion(State(champion="b" * 64), None)


def test_a_digest_is_checked_before_it_stands_in_a_query():
    assert checked(MODEL) == MODEL
    with pytest.raises((ModelRejected, ValueError)):
        checked("x' or '1'='1")


def test_what_was_fitted_is_a_learner_with_its_settings():
    learner: Learner = (
        Constant(log_odds_of_base=0.0) if "log_odds_of_base" in Constant.__annotations__ else Constant(0.0)
    )
    assert Fitted(learner, {"rounds": 3}).notes == ()

import json
import shutil
import socket
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from threading import Barrier

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from updraft.errors import LakeUnavailable, ModelRejected, NoChampion, WriteConflict
from updraft.evidence import Examination, Verdict, overall
from updraft.lake import Lake
from updraft.ledger import FACTS_LIMIT, Ledger
from updraft.promote import Approval, answer, decide_and_promote, gate, promote, rollback
from updraft.registry import Registry, Training
from updraft.spec.model import UseCase

pytestmark = pytest.mark.slow  # talks to a real MLflow

A, B, C, D = (letter * 64 for letter in "abcd")
SPEC = {
    "version": 1,
    "name": "flights",
    "owner": {"name": "team", "email": "team@example.com"},
    "problem": {
        "goal": "Know which flights will be late.",
        "lead_time": "6h",
        "decision": "rebook",
        "value": {"true_positive": 3, "false_positive": -1, "false_negative": 0},
    },
    "partitions": {"first": "2013-01-01"},
    "entity": ["flight"],
    "sources": {
        "plan": {
            "type": "files",
            "path": "plan/{partition}.csv",
            "key": ["flight"],
            "event_time": "at",
            "known_at": {"delay": "1h"},
            "columns": {"flight": {"type": "string"}, "at": {"type": "timestamp", "timezone": "UTC"}},
        }
    },
    "label": {"column": "late", "maturity": "1d"},
    "features": {"hour": {"type": "number"}},
}
CASE = UseCase.model_validate(SPEC)
ASKING = UseCase.model_validate({**SPEC, "rollout": {"approval": "required"}})
DAY = {"partition": "2013-04-01", "who": "train"}


def examined(outcome="PASS", against=None, reason="fine", verdicts=None):
    verdicts = verdicts or (Verdict("absolute", "PASS", "fine", {"auc": 0.7}), Verdict("champion", outcome, reason))
    return Examination(
        outcome=overall(verdicts), verdicts=verdicts, not_applicable=(), metrics={}, roles={}, champion=against,
        n=3000, positives=600, blocks=14, first="2013-03-10", last="2013-03-23",
    )  # fmt: skip


@pytest.fixture
def lake(tmp_path):
    return Lake(str(tmp_path / "lake"))


@pytest.fixture(scope="module")
def seen(mlflow_store, tmp_path_factory):
    """The file of an MLflow that has seen A and B."""
    folder = tmp_path_factory.mktemp("seen")
    first = Registry(f"sqlite:///{mlflow_store(folder)}", str(folder / "artifacts"))
    for digest in (A, B):
        first.log_training("flights", Training(digest, "2013-04-01"))
    return folder / "mlflow.db"


@pytest.fixture(scope="module")
def shared(seen, tmp_path_factory):
    """One MLflow for all tests but those about the alias."""
    copy = shutil.copy(seen, tmp_path_factory.mktemp("shared") / "mlflow.db")
    return Registry(f"sqlite:///{copy}", str(copy.parent / "artifacts"))


@pytest.fixture
def registry(seen, tmp_path):
    copy = shutil.copy(seen, tmp_path / "mlflow.db")
    return Registry(f"sqlite:///{copy}", str(tmp_path / "artifacts"))


@pytest.fixture
def down(monkeypatch):
    """An MLflow that does not answer."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield Registry(f"http://127.0.0.1:{taken.getsockname()[1]}", "/nowhere")


def kinds(lake):
    """Kind and model of each decision; that MLflow followed is no decision."""
    records = Ledger(lake, "flights").records()
    return [(r.kind, (r.model or "")[:1]) for r in records if r.kind != "confirmed"]


def bare(facts):
    return {name: value for name, value in facts.items() if name != "origins"}


def crown(lake, *models):
    for model in models:
        Ledger(lake, "flights").append("promoted", why="before", who="test", partition="2013-01-01", model=model)


def fine(digest):
    return digest


# ---- promoting --------------------------------------------------------------------------------------------------


def test_a_candidate_that_passed_becomes_champion_and_the_alias_follows(lake, registry):
    result = decide_and_promote(lake, registry, CASE, A, examined(), **DAY)
    assert (result.outcome, result.sequence, result.champion, result.alias) == ("promoted", 2, A, "follows")
    assert result.why == "PASS, all 2 gates on 3000 held-out rows"
    assert kinds(lake) == [("gated", "a"), ("promoted", "a")]
    assert registry.champion_alias("flights") == A
    gated, promoted, confirmed = Ledger(lake, "flights").records()
    assert bare(gated.facts) == examined().to_json()
    assert bare(promoted.facts) == {"gated": 1, "champion": None, "approval": None}
    assert (confirmed.kind, confirmed.model) == ("confirmed", A)
    assert registry.witnessed("flights") == (3, Ledger(lake, "flights").state().head_digest)
    assert len(json.dumps(asdict(result))) < 4096


@pytest.mark.parametrize("outcome", ["FAIL", "INSUFFICIENT"])
def test_a_candidate_that_did_not_pass_is_rejected_with_the_reason(lake, shared, outcome):
    crown(lake, A)
    result = decide_and_promote(lake, shared, CASE, B, examined(outcome, A, "worse on EWR"), **DAY)
    assert (result.outcome, result.champion) == ("rejected", A)
    assert result.why == f"{outcome}, champion: worse on EWR"
    assert kinds(lake)[1:] == [("gated", "b"), ("rejected", "b")]


def test_an_examination_without_verdicts_is_no_pass(lake, shared):
    nothing = replace(examined(), verdicts=(), outcome="INSUFFICIENT")
    assert decide_and_promote(lake, shared, CASE, A, nothing, **DAY).outcome == "rejected"


def test_a_pass_its_verdicts_do_not_bear_out_is_refused(lake, shared):
    forged = replace(examined("FAIL"), outcome="PASS")
    with pytest.raises(ValueError, match="do not add up"):
        decide_and_promote(lake, shared, CASE, A, forged, **DAY)
    assert kinds(lake) == []


def test_what_was_not_examined_at_this_partition_cannot_rise(lake, shared):
    gate(lake, CASE, A, examined(), partition="2013-03-31", who="train")
    with pytest.raises(ModelRejected, match="was not examined at 2013-04-01"):
        promote(lake, shared, CASE, A, **DAY)
    with pytest.raises(ModelRejected, match="was not examined"):
        promote(lake, shared, CASE, B, partition="2013-03-31", who="train")


def test_the_newest_examination_counts(lake, shared):
    gate(lake, CASE, A, examined(), **DAY)
    gate(lake, CASE, A, examined("FAIL"), **DAY)
    assert promote(lake, shared, CASE, A, **DAY).outcome == "rejected"


def test_a_long_examination_is_stored_beside_the_ledger(lake, shared):
    verdicts = tuple(Verdict(f"gate_{n}", "PASS", "x" * 200, {"value": n / 7}) for n in range(500))
    assert decide_and_promote(lake, shared, CASE, A, examined(verdicts=verdicts), **DAY).outcome == "promoted"
    facts = Ledger(lake, "flights").records()[0].facts
    assert len(json.dumps(facts)) < FACTS_LIMIT // 2
    assert len(json.loads(lake.get(facts["report"]))["verdicts"]) == 500


@pytest.mark.parametrize("digest", ["", "a" * 63, "../" + "a" * 61])
def test_a_digest_that_is_none_is_never_recorded(lake, shared, digest):
    with pytest.raises(ValueError, match="not the digest"):
        decide_and_promote(lake, shared, CASE, digest, examined(), **DAY)
    assert kinds(lake) == []


# ---- again, late, and at once -----------------------------------------------------------------------------------


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


# ---- approval ---------------------------------------------------------------------------------------------------


YES = Approval("ana", "approved", A, gated=1)


@pytest.mark.parametrize(
    ("case", "approval", "outcome", "why"),
    [
        pytest.param(ASKING, YES, "promoted", "PASS", id="approved"),
        pytest.param(ASKING, None, "rejected", "nobody approved it in time", id="silence means no"),
        pytest.param(ASKING, replace(YES, decision="rejected"), "rejected", "ana rejected it", id="no means no"),
        pytest.param(ASKING, replace(YES, decision=""), "rejected", "ana rejected it", id="anything but yes means no"),
        pytest.param(ASKING, replace(YES, digest=B), "rejected", "shown model bbbb", id="another model"),
        pytest.param(ASKING, replace(YES, gated=7), "rejected", "examination of record 7", id="another examination"),
        pytest.param(CASE, None, "promoted", "PASS", id="nobody needs to be asked"),
        pytest.param(CASE, replace(YES, decision="rejected"), "rejected", "ana rejected it", id="a no always counts"),
    ],
)
def test_a_person_decides_about_the_model_and_the_examination_they_were_shown(
    lake, shared, case, approval, outcome, why
):
    gate(lake, case, A, examined(), **DAY)
    if approval:
        said = answer(lake, case, approval, partition="2013-04-01")
        assert (said.kind, said.who) == ("approved" if approval.decision == "approved" else "rejected", "ana")
    result = promote(lake, shared, case, A, **DAY)
    assert result.outcome == outcome
    assert why in result.why
    decided = Ledger(lake, "flights").records()[result.sequence - 1]
    assert decided.facts["approval"] == (asdict(approval) if approval else None)


@pytest.mark.parametrize("outcome", ["FAIL", "INSUFFICIENT"])
def test_no_person_can_promote_what_did_not_pass(lake, shared, outcome):
    gate(lake, ASKING, A, examined(outcome), **DAY)
    answer(lake, ASKING, YES, partition="2013-04-01")
    assert promote(lake, shared, ASKING, A, **DAY).outcome == "rejected"


def test_an_approval_that_came_late_can_still_be_used(lake, shared):
    assert decide_and_promote(lake, shared, ASKING, A, examined(), **DAY).outcome == "rejected"
    answer(lake, ASKING, YES, partition="2013-04-01")
    assert promote(lake, shared, ASKING, A, **DAY).outcome == "promoted"


def test_an_approval_of_an_older_examination_is_void(lake, shared):
    assert gate(lake, ASKING, A, examined(), **DAY).sequence == 1
    crown(lake, B)
    gate(lake, ASKING, A, examined(against=B), **DAY)
    answer(lake, ASKING, YES, partition="2013-04-01")
    result = promote(lake, shared, ASKING, A, **DAY)
    assert result.why == "ana was shown the examination of record 1, the newest is 3"


# ---- MLflow -----------------------------------------------------------------------------------------------------


def test_without_mlflow_the_ledger_decides_and_the_alias_is_mended_later(lake, registry, down):
    result = decide_and_promote(lake, down, CASE, A, examined(), **DAY)
    assert (result.outcome, result.champion, result.alias) == ("promoted", A, "pending")
    assert registry.champion_alias("flights") is None
    assert registry.repair("flights", Ledger(lake, "flights").state())
    assert registry.champion_alias("flights") == A


def test_a_model_mlflow_never_saw_is_champion_all_the_same(lake, shared):
    result = decide_and_promote(lake, shared, CASE, C, examined(), **DAY)
    assert (result.champion, result.alias) == (C, "pending")


def test_a_lake_that_is_down_decides_nothing(shared, tmp_path):
    (tmp_path / "lake").write_bytes(b"a file, not a folder")
    with pytest.raises(LakeUnavailable):
        decide_and_promote(Lake(str(tmp_path / "lake")), shared, CASE, A, examined(), **DAY)


# ---- rolling back -----------------------------------------------------------------------------------------------


def refusing(*broken):
    def verify(digest):
        if digest in broken:
            raise ModelRejected("model.txt was changed.", next_step="restore it.")

    return verify


@pytest.mark.parametrize(
    ("broken", "champion", "skipped"),
    [
        pytest.param((), C, [], id="the one before"),
        pytest.param((C,), B, [C], id="the one before is broken"),
        pytest.param((C, B), A, [C, B], id="only the first is left"),
    ],
)
def test_a_rollback_goes_to_the_newest_earlier_champion_that_loads(lake, shared, broken, champion, skipped):
    crown(lake, A, B, C, D)
    result = rollback(lake, shared, CASE, who="ops", why="complaints", verify=refusing(*broken), partition="2013-04-01")
    assert (result.outcome, result.champion, result.sequence) == ("rolled_back", champion, 5)
    record = Ledger(lake, "flights").records()[4]
    assert (record.kind, record.partition) == ("rolled_back", "2013-04-01")
    assert bare(record.facts) == {"left": D, "skipped": dict.fromkeys(skipped, "model.txt was changed.")}
    assert record.why == "; ".join(["complaints", *(f"skipped {m[:12]}: model.txt was changed." for m in skipped)])


def test_rollbacks_go_further_back_and_never_to_what_was_left(lake, registry):
    crown(lake, C, B, A, D)
    back = [rollback(lake, registry, CASE, who="o", why="w", verify=fine) for _ in range(3)]
    assert [(r.champion, r.alias) for r in back] == [(A, "follows"), (B, "follows"), (C, "pending")]
    with pytest.raises(NoChampion, match="no earlier champion"):
        rollback(lake, registry, CASE, who="o", why="w", verify=fine)
    assert Ledger(lake, "flights").state().champion == C


def test_where_no_earlier_champion_loads_the_champion_stays_and_each_is_named(lake, shared):
    crown(lake, A, B, C)
    with pytest.raises(NoChampion, match=r"skipped bbbbbbbbbbbb: .*; skipped aaaaaaaaaaaa"):
        rollback(lake, shared, CASE, who="o", why="w", verify=refusing(A, B))
    assert Ledger(lake, "flights").state().champion == C


def test_without_any_champion_there_is_nothing_to_go_back_to(lake, shared):
    with pytest.raises(NoChampion):
        rollback(lake, shared, CASE, who="o", why="w", verify=fine)


def test_a_retried_rollback_does_not_go_further_back(lake, shared):
    crown(lake, A, B, C)
    results = [rollback(lake, shared, CASE, who="o", why="w", verify=fine, leave=C) for _ in range(2)]
    assert [(r.outcome, r.champion) for r in results] == [("rolled_back", B), ("kept", B)]


def test_a_rollback_that_finds_another_champion_gives_up(lake, shared):
    crown(lake, A, B)
    with pytest.raises(WriteConflict):
        rollback(lake, shared, CASE, who="o", why="w", verify=lambda _: crown(lake, C))
    assert Ledger(lake, "flights").state().champion == C


def test_a_fault_that_is_not_the_models_stops_the_rollback(lake, shared):
    crown(lake, A, B)

    def unreachable(digest):
        raise LakeUnavailable("slow", next_step="retry")

    with pytest.raises(LakeUnavailable):
        rollback(lake, shared, CASE, who="o", why="w", verify=unreachable)
    assert Ledger(lake, "flights").state().champion == B


# ---- the promise ------------------------------------------------------------------------------------------------

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

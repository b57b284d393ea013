import socket

import pytest
from tests import parcels, promises
from tests.gating import AT, LATER, WHO, conclude, examine, train_again

from updraft import promote
from updraft.errors import ModelRejected, NoChampion, RegistryUnavailable, WriteConflict
from updraft.ledger import Ledger
from updraft.life import promotion
from updraft.promote import Approval
from updraft.registry import Registry
from updraft.spec.model import Rollout

pytestmark = pytest.mark.slow  # trains models and talks to a real MLflow


def records(world):
    """Kind and partition of each decision; that MLflow followed is no decision."""
    return [(r.kind, r.partition) for r in Ledger(world.lake, "parcels").records() if r.kind != "confirmed"]


def state(world):
    return Ledger(world.lake, "parcels").state()


def first(world):
    """What the first training left."""
    return next(r for r in Ledger(world.lake, "parcels").records() if r.kind == "trained").facts


# ---- the first champion ------------------------------------------------------------------------------------------


def test_a_candidate_that_passes_becomes_champion_and_the_alias_follows(trained):
    made = first(trained)
    found = examine(trained, made)
    assert (found["outcome"], found["gated"], found["champion"]) == ("PASS", 2, None)
    done = conclude(trained, made["candidate"])
    assert (done.outcome, done.champion, done.alias) == ("promoted", made["candidate"], "follows")
    assert records(trained) == [("trained", AT), ("gated", AT), ("promoted", AT)]
    assert promises.broken(trained.lake, trained.case, registry=trained.registry) == []


def test_doing_it_all_again_decides_nothing_twice(promoted):
    before = records(promoted)
    made = first(promoted)
    found = examine(promoted, made)
    assert (found["outcome"], found["gated"]) == ("PASS", 0)
    assert found["because"] == ["the candidate is the champion already"]
    done = conclude(promoted, made["candidate"])
    assert (done.outcome, done.sequence) == ("promoted", 3)
    assert records(promoted) == before


def test_a_candidate_that_was_not_examined_is_not_promoted(trained):
    with pytest.raises(ModelRejected, match="has not been through the gates"):
        conclude(trained, first(trained)["candidate"])
    assert state(trained).champion is None


@pytest.mark.parametrize(
    ("gates", "outcome", "why"),
    [
        pytest.param({"absolute": {"auc": {"min": 0.99}}}, "FAIL", "absolute: auc is 0.8", id="a limit"),
        pytest.param({"min_rows": 10_000}, "INSUFFICIENT", "235 held-out rows, and `gates.min_rows`", id="few rows"),
    ],
)
def test_a_candidate_that_does_not_pass_is_rejected_with_the_reason(trained, tmp_path, gates, outcome, why):
    case, made = parcels.write(tmp_path, gates=gates), first(trained)
    assert examine(trained, made, case=case)["outcome"] == outcome
    done = conclude(trained, made["candidate"], case=case)
    assert (done.outcome, done.champion) == ("rejected", None)
    assert why in done.why
    assert records(trained)[-1] == ("rejected", AT)
    assert trained.registry.champion_alias("parcels") is None
    assert promises.broken(trained.lake, case, registry=trained.registry) == []


def test_examining_again_records_nothing_new_though_seconds_differ(trained):
    made = first(trained)
    assert [examine(trained, made)["gated"] for _ in range(2)] == [2, 2]
    assert [kind for kind, _ in records(trained)] == ["trained", "gated"]


def test_a_dry_run_records_everything_and_promotes_nothing_until_it_is_none(trained, tmp_path):
    dry, made = parcels.write(tmp_path, gates={"dry_run": True}), first(trained)
    found = examine(trained, made, case=dry)
    assert (found["outcome"], found["dry_run"]) == ("PASS", True)
    done = conclude(trained, made["candidate"], case=dry)
    assert (done.outcome, done.champion) == ("rejected", None)
    assert done.why.startswith("a dry run, `gates.dry_run`: nothing is promoted; otherwise PASS, all 3 gates on 235")
    assert conclude(trained, made["candidate"], case=dry).sequence == done.sequence
    assert examine(trained, made)["gated"] > done.sequence
    assert conclude(trained, made["candidate"]).outcome == "promoted"
    assert [kind for kind, _ in records(trained)] == ["trained", "gated", "rejected", "gated", "promoted"]


@pytest.mark.parametrize(("mode", "outcome"), [("enforce", "rejected"), ("warn", "promoted"), ("off", "promoted")])
def test_a_gate_that_only_warns_stands_in_nobodys_way(trained, tmp_path, mode, outcome):
    made = first(trained)
    case = parcels.write(tmp_path, gates={"absolute": {"auc": {"min": 0.99}}, "modes": {"absolute": mode}})
    examine(trained, made, case=case)
    done = conclude(trained, made["candidate"], case=case)
    assert done.outcome == outcome
    assert ("warned by absolute" in done.why) is (mode == "warn")


def test_while_mlflow_is_down_nothing_is_promoted_and_nothing_is_lost(trained, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    made = first(trained)
    examine(trained, made)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        down = Registry(f"http://127.0.0.1:{taken.getsockname()[1]}", "/nowhere")
        with pytest.raises(RegistryUnavailable):
            conclude(trained, made["candidate"], registry=down)
    assert state(trained).champion is None
    assert conclude(trained, made["candidate"]).outcome == "promoted"


# ---- the next one ------------------------------------------------------------------------------------------------


def test_a_candidate_no_better_than_the_champion_is_rejected(promoted):
    champion, made = state(promoted).champion, train_again(promoted, "2024-01-20", seed=5)
    found = examine(promoted, made, "2024-01-20")
    assert found["outcome"] in ("FAIL", "INSUFFICIENT")
    assert found["champion"] == champion
    assert any(why.startswith("champion: ") for why in found["because"])
    done = conclude(promoted, made["candidate"], "2024-01-20")
    assert (done.outcome, done.champion) == ("rejected", champion)
    assert promoted.registry.champion_alias("parcels") == champion


def test_a_candidate_is_examined_again_when_the_champion_changed_meanwhile(promoted):
    made = train_again(promoted, LATER, families=("logistic",))
    examine(promoted, made, LATER)
    Ledger(promoted.lake, "parcels").append(
        "promoted", why="by hand", **WHO, model=first(promoted)["baselines"]["lightgbm"]
    )
    with pytest.raises(WriteConflict, match="decision was about champion"):
        conclude(promoted, made["candidate"], LATER)
    assert examine(promoted, made, LATER)["champion"] == first(promoted)["baselines"]["lightgbm"]


def test_after_the_world_turned_a_new_model_rises_and_a_rollback_takes_it_down(promoted):
    old, made = state(promoted).champion, train_again(promoted, LATER, families=("logistic",))
    found = examine(promoted, made, LATER)
    assert (found["outcome"], found["gates"]["champion"]) == ("PASS", "PASS")
    done = conclude(promoted, made["candidate"], LATER)
    assert (done.outcome, done.champion) == ("promoted", made["candidate"])
    assert state(promoted).previous == (old,)
    assert promises.broken(promoted.lake, promoted.case, registry=promoted.registry) == []

    back = promotion.roll_back(
        promoted.case, promoted.lake, promoted.registry, **WHO, why="it went wrong", partition=LATER
    )
    assert (back.outcome, back.champion, back.why) == ("rolled_back", old, "it went wrong")
    assert promoted.registry.champion_alias("parcels") == old
    again = conclude(promoted, made["candidate"], LATER)
    assert (again.outcome, again.champion) == ("kept", old), "a late retry does not bring back what was taken down"
    with pytest.raises(NoChampion, match="no earlier champion to go back to"):
        promotion.roll_back(promoted.case, promoted.lake, promoted.registry, **WHO, why="once more")
    assert promises.broken(promoted.lake, promoted.case, registry=promoted.registry) == []


def promoted_by_hand(world, *models):
    for model in models:
        Ledger(world.lake, "parcels").append("promoted", why="by hand", **WHO, model=model)


def test_a_rollback_falls_to_the_newest_earlier_champion_that_loads(promoted):
    old, (lightgbm, trivial) = (
        state(promoted).champion,
        (first(promoted)["baselines"][f] for f in ("lightgbm", "trivial")),
    )
    promoted_by_hand(promoted, lightgbm, trivial)
    promoted.lake.put(f"models/parcels/{lightgbm}/encoder.json", b"{}")
    back = promotion.roll_back(promoted.case, promoted.lake, promoted.registry, **WHO, why="it went wrong")
    assert (back.outcome, back.champion) == ("rolled_back", old)
    assert f"skipped {lightgbm[:12]}" in back.why


def test_a_rollback_that_is_retried_does_not_go_back_one_more(promoted):
    old, lightgbm = state(promoted).champion, first(promoted)["baselines"]["lightgbm"]
    promoted_by_hand(promoted, lightgbm)
    how = {**WHO, "why": "it went wrong", "leave": lightgbm}
    done = [promotion.roll_back(promoted.case, promoted.lake, promoted.registry, **how) for _ in range(2)]
    assert [d.outcome for d in done] == ["rolled_back", "kept"]
    assert state(promoted).champion == old


# ---- approval ----------------------------------------------------------------------------------------------------


@pytest.fixture
def asking(trained):
    """The same use case where a person must say yes, with the candidate examined."""
    case = trained.case.model_copy(update={"rollout": Rollout(approval="required")})
    examine(trained, first(trained), case=case)
    return case


@pytest.mark.parametrize(
    ("approval", "outcome", "why"),
    [
        pytest.param({}, "promoted", "PASS, all 3 gates", id="approved"),
        pytest.param(None, "rejected", "nobody approved it in time", id="nobody"),
        pytest.param(
            {"digest": "f" * 64}, "rejected", "Ada was shown model ffffffffffff, not this one", id="another model"
        ),
    ],
)
def test_where_a_person_must_say_yes_only_their_yes_to_this_very_model_counts(trained, asking, approval, outcome, why):
    candidate = first(trained)["candidate"]
    given = None
    if approval is not None:
        given = Approval(**{"by": "Ada", "decision": "approved", "digest": candidate, "gated": 2, **approval})
        promote.answer(trained.lake, asking, given, partition=AT)
    done = conclude(trained, candidate, case=asking)
    assert done.outcome == outcome
    assert why in done.why
    assert state(trained).champion == (candidate if outcome == "promoted" else None)
    record = Ledger(trained.lake, "parcels").records()[done.sequence - 1]
    assert (record.facts["approval"] or {}).get("by") == ("Ada" if given else None)


@pytest.mark.parametrize(
    ("said", "by", "decision"),
    [
        ({"chosen_options": ["Approve"], "responded_by_user": {"id": "1", "name": "Ada"}}, "Ada", "approved"),
        ({"chosen_options": ["Reject"], "responded_by_user": {"id": "1", "name": "Ada"}}, "Ada", "rejected"),
        ({"chosen_options": ["Approve", "Reject"], "responded_by_user": {"name": "Ada"}}, "Ada", "rejected"),
        ({"chosen_options": ["Reject"], "responded_by_user": None, "timedout": True}, "nobody, in time", "rejected"),
        ({}, "nobody, in time", "rejected"),
    ],
)
def test_an_answer_in_the_airflow_ui_is_bound_to_what_was_shown(said, by, decision):
    assert promotion.approval_of(said, "a" * 64, 7) == Approval(by, decision, "a" * 64, 7)

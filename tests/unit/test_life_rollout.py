"""Shadow, canary and probation on a small world: what is scored, what is compared, what the evidence decides."""

from datetime import timedelta

import numpy as np
import pyarrow as pa
import pytest
from tests import promises

from updraft import dataset, features, promote, score
from updraft.ledger import Ledger
from updraft.life import monitor, promotion, retrain, rollout, train
from updraft.partition import calendar
from updraft.rollout import routed
from updraft.spec.model import Rollout

pytestmark = pytest.mark.slow  # trains models and talks to a real MLflow

AT, LAST = "2024-02-02", "2024-02-11"
LIVE = [f"2024-02-{day:02}" for day in range(2, 9)]
WHO = {"who": "test"}
SHADOW, CANARY, PROBATION = (
    {"shadow": {"partitions": 4}},
    {"canary": {"share": 0.5, "partitions": 4}},
    {"probation": {"partitions": 4}},
)


@pytest.fixture(scope="module")
def _examined(_promoted, tmp_path_factory):
    """The world turned two weeks ago; a candidate that learnt it has passed its gates, and nothing is decided yet."""
    world = _promoted.copy(tmp_path_factory.mktemp("examined"))
    model = world.case.model.model_copy(update={"families": ("logistic",), "history": timedelta(days=11)})
    case, dates = world.case.model_copy(update={"model": model}), calendar(world.case)
    features.build(case, features.stale(case, dates.keys("2024-01-01", LAST), world.lake), world.lake)
    made = train.fit(case, dates.at(AT), world.lake, code_version="test", **WHO)
    trained = {"candidate": made.candidate, "baselines": dict(made.baselines)}
    found = promotion.examine(case, dates.at(AT), world.lake, trained, **WHO)
    assert found["outcome"] == "PASS", found["because"]
    return world


@pytest.fixture
def begun(_examined, tmp_path):
    """Conclude the examination under a spec with a rollout; what came of it, and the world."""

    def begun(declared):
        world = _examined.copy(tmp_path)
        case = world.case.model_copy(update={"rollout": Rollout.model_validate(declared)})
        done = promotion.conclude(case, calendar(case).at(AT), world.lake, world.registry, newer(world), **WHO)
        return case, world, done

    return begun


def state(world):
    return Ledger(world.lake, "parcels").state()


def older(world):
    return next(r.model for r in state(world).records if r.kind == "promoted")


def newer(world):
    return [r.model for r in state(world).records if r.kind == "gated"][-1]


def live(case, world, keys=LIVE):
    for key in keys:
        score.partitions(case, [key], world.lake, champion=score.pin(case, world.lake))
        score.reconcile(case, [key], world.lake)


def advance(case, world, at=LAST):
    return rollout.advance(case, calendar(case).at(at), world.lake, world.registry, **WHO)


def rows(world, key=LIVE[0]):
    return world.lake.read("scores/parcels", [key]).to_pandas()


def kinds(world, after=AT):
    return [r.kind for r in state(world).records if (r.partition or "") >= after and r.kind != "confirmed"]


def spoil(world, wrong, keys, role):
    """Make a model's stored scores wrong, as if it had failed on live rows it was never examined on."""
    for key in keys:
        stored = world.lake.read("scores/parcels", [key])
        found = stored.to_pandas()
        own = (found["model"] == wrong) & found["role"].isin(role)
        found.loc[own, "score"] = 1 - found.loc[own, "score"]
        world.lake.replace("scores/parcels", pa.Table.from_pandas(found, stored.schema, preserve_index=False), [key])


# ---- shadow ------------------------------------------------------------------------------------------------------


def test_a_candidate_that_passed_becomes_challenger_and_the_champion_stays(begun):
    _, world, done = begun(SHADOW)
    assert (done.outcome, done.champion) == ("challenger", older(world))
    assert state(world).challenger == newer(world)
    assert kinds(world) == ["trained", "gated", "challenger"]
    record = state(world).records[-1]
    assert set(record.facts["origins"]) == {"model", "data", "features", "spec", "gates"}
    assert all(record.facts["origins"].values())


def test_a_challenger_is_scored_beside_the_champion_once_and_counts_for_nothing(begun):
    case, world, _ = begun(SHADOW)
    live(case, world)
    live(case, world)  # again
    found = rows(world)
    by_role = dict(iter(found.groupby("role")))
    assert {role: set(own["model"]) for role, own in by_role.items()} == {
        "champion": {older(world)}, "challenger": {newer(world)},
    }  # fmt: skip
    assert sorted(by_role["champion"]["parcel"]) == sorted(by_role["challenger"]["parcel"])
    assert found["parcel"].value_counts().eq(2).all()
    assert not by_role["challenger"]["acted"].any()
    assert by_role["challenger"]["reasons"].isna().all()
    counting = score.read(case, LIVE[:1], world.lake).to_pandas()
    assert set(counting["role"]) == {"champion"}
    assert promises.broken(world.lake, case) == []


def test_the_champion_is_scored_as_if_nobody_stood_beside_it(begun):
    case, world, _ = begun(SHADOW)
    live(case, world, LIVE[:1])
    ours = rows(world).query("role == 'champion'").sort_values("parcel", ignore_index=True)
    nobody = case.model_copy(update={"rollout": Rollout()})
    score.partitions(nobody, LIVE[:1], world.lake, champion=older(world), rescore=True)
    assert ours.equals(rows(world).sort_values("parcel", ignore_index=True))


def test_until_the_labels_are_mature_nothing_is_decided(begun):
    case, world, _ = begun(SHADOW)
    live(case, world)
    before = state(world).head
    said = advance(case, world, at="2024-02-06")  # labels of the 2nd and 3rd
    assert (said["outcome"], said["because"]) == ("waits", "shadow: 2 of 4 partitions have mature labels")
    assert state(world).head == before


def test_a_challenger_that_does_better_on_the_same_rows_is_promoted(begun):
    case, world, _ = begun(SHADOW)
    live(case, world)
    said = advance(case, world)
    assert (said["outcome"], said["champion"]) == ("promoted", newer(world)), said["because"]
    assert kinds(world) == ["trained", "gated", "challenger", "gated", "promoted"]
    gated = next(r for r in reversed(state(world).records) if r.kind == "gated")
    assert gated.facts["rollout"] == {"way": "shadow", "since": 7}
    assert (gated.facts["n"], gated.facts["first"], gated.facts["last"]) == (gated.facts["n"], LIVE[0], LIVE[3])
    assert world.registry.champion_alias("parcels") == newer(world)
    assert promises.broken(world.lake, case, registry=world.registry) == []


def test_a_challenger_that_does_worse_is_rejected_and_the_champion_stays(begun):
    case, world, _ = begun(SHADOW)
    live(case, world)
    spoil(world, newer(world), LIVE, ["challenger"])
    said = advance(case, world)
    assert said["outcome"] == "rejected"
    assert "worse than champion in auc" in said["because"]
    assert (state(world).champion, state(world).challenger) == (older(world), None)
    assert kinds(world)[-2:] == ["gated", "rejected"]


@pytest.mark.parametrize("harm", [False, True])
def test_deciding_again_or_later_decides_nothing_new(begun, harm):
    case, world, _ = begun(SHADOW)
    live(case, world)
    if harm:
        spoil(world, newer(world), LIVE, ["challenger"])
    advance(case, world, at="2024-02-09")
    before = state(world).head
    assert advance(case, world)["outcome"] == "nothing"
    again = promotion.conclude(case, calendar(case).at(AT), world.lake, world.registry, newer(world), **WHO)
    assert again.outcome == "kept", "a late retry of the training neither begins a second rollout nor promotes"
    assert state(world).head == before


def test_a_retry_of_the_training_finds_its_challenger(begun):
    case, world, done = begun(SHADOW)
    again = promotion.conclude(case, calendar(case).at(AT), world.lake, world.registry, newer(world), **WHO)
    assert (again.outcome, again.sequence) == (done.outcome, done.sequence)


def test_a_challenger_whose_champion_was_replaced_is_withdrawn(begun):
    case, world, _ = begun(SHADOW)
    other = state(world).records[0].facts["baselines"]["trivial"]
    Ledger(world.lake, "parcels").append("promoted", why="by hand", **WHO, model=other)
    said = advance(case, world)
    assert said["outcome"] == "rejected"
    assert "is champion no more" in said["because"]
    assert state(world).challenger is None


def test_a_challenger_that_does_not_load_leaves_the_champion_alone_and_is_withdrawn(begun):
    case, world, _ = begun(SHADOW)
    world.lake.put(f"models/parcels/{newer(world)}/encoder.json", b"{}")
    live(case, world, LIVE[:1])
    assert set(rows(world)["role"]) == {"champion"}
    said = advance(case, world)
    assert (said["outcome"], said["because"][:16]) == ("rejected", "it cannot score:")


def test_one_challenger_at_a_time(begun):
    case, world, _ = begun(SHADOW)
    second = state(world).records[0].facts["baselines"]["lightgbm"]
    first, gated = newer(world), next(r for r in reversed(state(world).records) if r.kind == "gated")
    about = {"partition": "2024-02-05", "model": second, "facts": gated.facts}
    Ledger(world.lake, "parcels").append("gated", why="PASS", **WHO, **about)
    done = promote.promote(world.lake, world.registry, case, second, partition="2024-02-05", **WHO)
    assert (done.outcome, done.why) == ("rejected", f"model {first[:12]} is being rolled out; one at a time")
    assert state(world).challenger == first


# ---- canary ------------------------------------------------------------------------------------------------------


def test_the_canary_decides_its_share_of_the_entities_and_the_champion_the_rest(begun):
    case, world, _ = begun(CANARY)
    live(case, world)
    found = rows(world)
    parcels = sorted(found["parcel"].unique())
    chosen = {
        p for p, yes in zip(parcels, routed([(p,) for p in parcels], share=0.5, salt=newer(world)), strict=True) if yes
    }
    assert 0 < len(chosen) < len(parcels)
    assert set(found.query("role == 'canary'")["parcel"]) == chosen
    assert set(found.query("role == 'relieved'")["parcel"]) == chosen
    assert set(found.query("role == 'champion'")["parcel"]) == set(parcels) - chosen
    assert set(found.query("role in ('canary', 'challenger')")["model"]) == {newer(world)}
    assert set(found.query("role in ('champion', 'relieved')")["model"]) == {older(world)}
    counting = score.read(case, LIVE[:1], world.lake).to_pandas()
    assert sorted(counting["parcel"]) == parcels
    assert set(counting["role"]) == {"champion", "canary"}
    assert promises.broken(world.lake, case) == []


def test_rescoring_gives_every_row_to_the_same_model(begun):
    case, world, _ = begun(CANARY)
    live(case, world, LIVE[:1])
    before = rows(world)
    score.partitions(case, LIVE[:1], world.lake, champion=older(world), rescore=True)
    by = ["parcel", "role"]
    assert rows(world).sort_values(by, ignore_index=True).equals(before.sort_values(by, ignore_index=True))


def test_a_canary_that_does_better_is_promoted(begun):
    case, world, _ = begun(CANARY)
    live(case, world)
    said = advance(case, world)
    assert said["outcome"] == "promoted", said["because"]
    gated = next(r for r in reversed(state(world).records) if r.kind == "gated")
    assert gated.facts["rollout"]["way"] == "canary"
    assert promises.broken(world.lake, case, registry=world.registry) == []


def test_a_canary_that_does_harm_is_withdrawn_before_its_time(begun):
    case, world, _ = begun({"canary": {"share": 0.5, "partitions": 7}})
    live(case, world)
    spoil(world, newer(world), LIVE, ["canary"])
    spoil(world, older(world), LIVE, ["relieved"])  # which the turn had made as wrong
    said = advance(case, world, at="2024-02-09")
    assert said["outcome"] == "rejected", said
    assert "is worse than" in said["because"]
    assert state(world).champion == older(world)
    live(case, world, ["2024-02-10"])
    assert set(rows(world, "2024-02-10")["role"]) == {"champion"}, (
        "from the next partition on the champion has all rows"
    )


# ---- probation ---------------------------------------------------------------------------------------------------


def test_the_champion_before_is_scored_beside_a_new_one_until_probation_is_over(begun):
    case, world, done = begun(PROBATION)
    assert done.outcome == "promoted"
    live(case, world, LIVE[:4])
    found = rows(world)
    assert {role: set(own["model"]) for role, own in found.groupby("role")} == {
        "champion": {newer(world)}, "previous": {older(world)},
    }  # fmt: skip
    assert monitor.watch_partitions(case, LIVE[3:4], world.lake).worse is None
    advance(case, world)
    decided = state(world).records[-1]
    assert (decided.kind, decided.facts["action"]) == ("decided", "none")
    assert decided.why.endswith("did no worse than " + older(world)[:12] + " on 4 partitions; probation is over")
    before = state(world).head
    advance(case, world)
    assert state(world).head == before
    live(case, world, ["2024-02-10"])
    assert set(rows(world, "2024-02-10")["role"]) == {"champion"}
    assert promises.broken(world.lake, case, registry=world.registry) == []


def test_a_new_champion_that_does_worse_is_rolled_back_by_the_controller(begun):
    case, world, _ = begun(PROBATION)
    live(case, world)
    spoil(world, newer(world), LIVE, ["champion"])
    spoil(world, older(world), LIVE, ["previous"])  # which the turn had made as wrong
    at = calendar(case).at("2024-02-08")
    watched = monitor.watch_partitions(case, [at.key], world.lake)
    assert watched.due, "the controller is woken though nothing drifted"
    assert f"{newer(world)[:12]} is worse than {older(world)[:12]} in auc on the same live rows" in watched.worse
    said = retrain.consider(case, at, world.lake, **WHO)
    assert (said["action"], said["champion"]) == ("roll_back", newer(world))
    how = {**WHO, "why": said["because"], "leave": said["champion"], "partition": at.key}
    back = promotion.roll_back(case, world.lake, world.registry, **how)
    assert (back.outcome, back.champion) == ("rolled_back", older(world))
    assert rollout.worse(case, at, world.lake) is None
    live(case, world, ["2024-02-10"])
    assert {r: set(own["model"]) for r, own in rows(world, "2024-02-10").groupby("role")} == {
        "champion": {older(world)}
    }
    assert promises.broken(world.lake, case, registry=world.registry) == []


def test_a_new_champion_as_good_as_the_one_before_is_not_rolled_back(begun):
    """Both gave the same scores: whatever came true, no look may find the newer one worse."""
    case, world, _ = begun(PROBATION)
    live(case, world)
    for key in LIVE:
        stored = world.lake.read("scores/parcels", [key])
        found = stored.to_pandas().sort_values(["parcel", "role"], ignore_index=True)
        found["score"] = found.groupby("parcel")["score"].transform("first")
        world.lake.replace("scores/parcels", pa.Table.from_pandas(found, stored.schema, preserve_index=False), [key])
    looks = [rollout.worse(case, calendar(case).at(f"2024-02-{day:02}"), world.lake) for day in range(4, 12)]
    assert looks == [None] * 8


# ---- the rows that are compared ----------------------------------------------------------------------------------


def test_only_rows_that_both_scored_and_that_came_true_are_compared(begun):
    case, world, _ = begun(SHADOW)
    live(case, world)
    (found,) = rollout.under_way(case, state(world))
    compared = rollout._live(case, calendar(case).at(LAST), world.lake, found)
    assert sorted(compared["partition"].unique()) == LIVE[:4]
    truth = dataset.joined(case, world.lake, LIVE[:4])
    assert len(compared) == truth["late"].notna().sum()
    assert np.isfinite(compared[["newer", "older"]].to_numpy()).all()

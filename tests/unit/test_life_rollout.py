"""Shadow: a challenger is scored beside the champion, and mature labels decide between the two."""

import numpy as np
import pytest
from tests import promises
from tests.rolling_out import AT, LAST, LIVE, SHADOW, WHO, advance, kinds, live, newer, older, rows, spoil, state

from updraft import dataset, promote, score
from updraft.ledger import Ledger
from updraft.life import promotion, rollout
from updraft.partition import calendar
from updraft.spec.model import Rollout

pytestmark = pytest.mark.slow  # trains models and talks to a real MLflow


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


def test_only_rows_that_both_scored_and_that_came_true_are_compared(begun):
    case, world, _ = begun(SHADOW)
    live(case, world)
    (found,) = rollout.under_way(case, state(world))
    compared = rollout._live(case, calendar(case).at(LAST), world.lake, found)
    assert sorted(compared["partition"].unique()) == LIVE[:4]
    truth = dataset.joined(case, world.lake, LIVE[:4])
    assert len(compared) == truth["late"].notna().sum()
    assert np.isfinite(compared[["newer", "older"]].to_numpy()).all()

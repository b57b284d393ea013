"""Canary: a challenger decides its share of the entities, until it does better or does harm."""

import pytest
from tests import promises
from tests.rolling_out import CANARY, LIVE, advance, live, newer, older, rows, spoil, state

from updraft import score
from updraft.rollout import routed

pytestmark = pytest.mark.slow  # trains models and talks to a real MLflow


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

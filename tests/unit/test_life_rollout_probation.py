"""Probation: the champion before is scored beside the new one, and comes back when it did better."""

import pyarrow as pa
import pytest
from tests import promises
from tests.rolling_out import LIVE, PROBATION, WHO, advance, live, newer, older, rows, spoil, state

from updraft.life import monitor, promotion, retrain, rollout
from updraft.partition import calendar

pytestmark = pytest.mark.slow  # trains models and talks to a real MLflow


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

"""Events only wake the decision: lost, doubled, late or at once, they change none, and few are recorded."""

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import pairwise
from threading import Barrier

import pytest
from tests import promises
from tests.deciding import COOLING, NEXT, QUIET, READY, consider, decisions

from updraft.lake import Lake
from updraft.ledger import Ledger
from updraft.life import retrain
from updraft.partition import calendar

pytestmark = pytest.mark.slow

WEEK = ["2024-01-19", "2024-01-20", COOLING, "2024-01-22", READY, NEXT, "2024-01-25"]


@pytest.mark.parametrize(
    "woken",
    [
        pytest.param(WEEK, id="by every event"),
        pytest.param([key for key in WEEK for _ in range(2)], id="by every event twice", marks=pytest.mark.deep),
        pytest.param([READY], id="by one alone"),
        pytest.param([COOLING, READY, QUIET, COOLING, NEXT], id="by some, late and out of order"),
    ],
)
def test_lost_doubled_and_late_events_change_nothing(drifting, woken):
    for key in woken:
        consider(drifting, key)
    asked = [record.partition for record in decisions(drifting) if record.facts["action"] == "retrain"]
    opened = [r for r in Ledger(drifting.lake, "parcels").records() if r.kind == "incident"]
    assert asked == [READY]
    assert len({r.facts["identity"] for r in opened}) == len(opened), "each incident once"
    assert promises.broken(drifting.lake, drifting.case) == []


def test_a_look_before_the_partition_is_scored_sees_the_newest_that_is(drifting):
    said = consider(drifting, "2024-01-27")
    assert said["action"] == "retrain"
    assert "2024-01-25" in said["because"]


def test_what_somebody_outside_said_is_kept_and_decides_nothing(observed):
    at = calendar(observed.case).at(QUIET)
    said = retrain.consider(observed.case, at, observed.lake, who="test", reason="a new depot opened")
    assert (said["action"], said["kind"]) == ("none", "calm")
    assert decisions(observed)[0].facts["reason"] == "a new depot opened"


# ---- what is not done is recorded, and bounded -------------------------------------------------------------------


def test_a_reason_not_to_act_is_recorded_about_once_a_month_however_often_and_in_what_order(parcels_case, tmp_path):
    """Without a champion and without labels: the cheapest state that lasts."""
    keys = calendar(parcels_case).keys("2024-01-01", "2024-04-09")
    for name, order in {"in order": keys, "backwards": keys[::-1], "shuffled": _shuffled(keys)}.items():
        lake = Lake(str(tmp_path / name))
        said = [
            retrain.consider(parcels_case, calendar(parcels_case).at(key), lake, who="test")["kind"] for key in order
        ]
        assert set(said) == {"no_champion/nothing_new"}, "every look is answered"
        kept = sorted(record.partition for record in Ledger(lake, "parcels").records())
        assert 1 <= len(kept) <= len(keys) / retrain.REMINDED + 1, name
        places = [keys.index(key) for key in kept]
        assert all(later - former >= retrain.REMINDED for former, later in pairwise(places))


def _shuffled(keys):
    return random.Random(1).sample(keys, len(keys))


def test_another_reason_is_recorded_at_once(drifting):
    patient = drifting.case.retrain.model_copy(update={"cooldown": timedelta(days=9)})
    case = drifting.case.model_copy(update={"retrain": patient})
    for key in ("2024-01-19", "2024-01-20", COOLING, NEXT):
        retrain.consider(case, calendar(case).at(key), drifting.lake, who="test")
    told = ["calm", "feature_drift/cooldown", "performance/cooldown"]
    assert [record.facts["kind"] for record in decisions(drifting)] == told


# ---- several at once ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("keys", [(READY, READY), (READY, NEXT)], ids=["one partition", "two partitions"])
def test_two_that_decide_at_once_ask_for_one_training(drifting, keys):
    gate = Barrier(2)

    def decide(key):
        gate.wait()
        return consider(drifting, key)

    with ThreadPoolExecutor(2) as pool:
        said = list(pool.map(decide, keys))
    asked = [record for record in decisions(drifting) if record.facts["action"] == "retrain"]
    assert len(asked) == 1
    assert len(decisions(drifting)) == len(set(keys))
    assert [s["action"] for s in said].count("retrain") == (2 if keys[0] == keys[1] else 1)
    assert promises.broken(drifting.lake, drifting.case) == []

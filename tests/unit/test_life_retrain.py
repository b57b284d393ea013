from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pyarrow as pa
import pytest
from tests import promises

from updraft import score
from updraft.ledger import Ledger
from updraft.life import retrain
from updraft.partition import calendar

pytestmark = pytest.mark.slow

QUIET, FIRST, COOLING, READY, NEXT = "2024-01-18", "2024-01-19", "2024-01-21", "2024-01-23", "2024-01-24"


def consider(world, key):
    return retrain.consider(world.case, calendar(world.case).at(key), world.lake, who="test")


def decisions(world):
    return [r for r in Ledger(world.lake, "parcels").records() if r.kind == "decided"]


def append(world, kind, key, **more):
    return Ledger(world.lake, "parcels").append(kind, **{"why": "by hand", "who": "test", "partition": key, **more})


# ---- one decision, with its reason -------------------------------------------------------------------------------


def test_while_nothing_lasts_nothing_is_done_and_that_is_recorded(observed):
    champion = Ledger(observed.lake, "parcels").state().champion
    said = consider(observed, QUIET)
    expected = ("none", "calm", "no incident at 2024-01-18", champion)
    assert (said["action"], said["kind"], said["because"], said["champion"]) == expected
    assert consider(observed, QUIET) == said
    (record,) = decisions(observed)
    assert (record.partition, record.why, record.model) == (QUIET, said["because"], champion)
    assert (record.facts["action"], record.facts["kind"], record.facts["numbers"]) == ("none", "calm", said["numbers"])


def test_one_alarm_alone_trains_nothing(drifting):
    assert consider(drifting, FIRST)["because"] == "no incident at 2024-01-19"


def test_soon_after_a_training_an_incident_has_to_wait(drifting):
    said = consider(drifting, COOLING)
    assert said["action"] == "none"
    assert said["because"].startswith("prediction_drift in 3 of the last 3 partitions")
    assert "but last trained at 2024-01-17 18:00, cooldown of 5d until 2024-01-22 18:00" in said["because"]
    assert decisions(drifting)[0].facts["incident"].startswith("prediction_drift:")


def test_an_incident_that_outlasts_the_cooldown_asks_for_one_training(drifting):
    said = consider(drifting, READY)
    assert said["action"] == "retrain"
    assert "prediction_drift in 3 of the last 3" in said["because"]
    (record,) = decisions(drifting)
    assert record.facts["incident"].startswith(f"{said['kind']}:")
    assert record.facts["numbers"]["new_mature_partitions"] == 5, "the 16th to the 20th"
    assert consider(drifting, READY) == said, "asked again, it is the same decision"
    assert len(decisions(drifting)) == 1
    later = consider(drifting, NEXT)
    assert later["action"] == "none"
    assert "last trained at 2024-01-22 18:00" in later["because"], "what was asked for counts before it ends"


def test_a_refused_training_counts_as_one(drifting):
    append(drifting, "refused", "2024-01-22")
    assert "cooldown of 5d until" in consider(drifting, READY)["because"]


def test_a_spent_budget_is_a_reason_to_wait(drifting):
    append(drifting, "decided", "2024-01-10", facts={"action": "retrain"})
    said = consider(drifting, READY)
    assert said["action"] == "none"
    assert said["because"].endswith("1 of 1 trainings within 30d are spent")


def test_an_alarm_every_day_trains_no_more_often_than_declared(drifting):
    days = [f"2024-01-{day}" for day in range(19, 26)]
    actions = [consider(drifting, day)["action"] for day in days]
    assert actions == ["none", "none", "none", "none", "retrain", "none", "none"]
    told = [(record.partition[-2:], record.facts["kind"]) for record in decisions(drifting)]
    assert told == [
        ("19", "calm"), ("20", "prediction_drift/cooldown"), ("23", "prediction_drift"), ("24", "performance/cooldown"),
    ]  # fmt: skip
    assert all(record.why for record in decisions(drifting))
    assert promises.broken(drifting.lake, drifting.case) == []


def test_a_decision_about_a_past_partition_asks_for_no_second_training(drifting):
    assert consider(drifting, NEXT)["action"] == "retrain"
    said = consider(drifting, READY)
    assert said["action"] == "none"
    assert "a training stood at 2024-01-23 18:00 already, later than 2024-01-23" in said["because"]


# ---- without a champion ------------------------------------------------------------------------------------------


def test_without_a_champion_the_first_training_is_asked_for(parcels_case, delivered):
    said = retrain.consider(parcels_case, calendar(parcels_case).at(QUIET), delivered, who="test")
    assert (said["action"], said["because"], said["champion"]) == ("retrain", "no champion yet", None)
    (record,) = Ledger(delivered, "parcels").records()
    assert record.facts["numbers"]["new_mature_partitions"] == 15


def test_before_anything_is_mature_no_training_is_asked_for(parcels_case, delivered):
    said = retrain.consider(parcels_case, calendar(parcels_case).at("2024-01-02"), delivered, who="test")
    assert (said["action"], said["because"]) == (
        "none", "no champion yet; but no partition has matured since the last training",
    )  # fmt: skip


# ---- a broken feed -----------------------------------------------------------------------------------------------


def test_a_broken_feed_is_quarantined_and_never_learnt(observed):
    """The weights went missing: everything drifts, and a model fitted to that would be worse than the old one."""
    stored = observed.lake.read("features/parcels", ["2024-01-17", QUIET])
    place = stored.schema.get_field_index("weight")
    broken = stored.set_column(place, "weight", pa.nulls(len(stored), pa.float64()))
    observed.lake.replace("features/parcels", broken, ["2024-01-17", QUIET])
    champion = score.pin(observed.case, observed.lake)
    score.partitions(observed.case, ["2024-01-17", QUIET], observed.lake, champion=champion, rescore=True)
    said = consider(observed, QUIET)
    assert said["action"] == "quarantine"
    assert said["because"].startswith("values went missing: weight (")
    assert said["because"].endswith("retraining would learn the fault")


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

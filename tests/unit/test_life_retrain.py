"""Whether to train, decided from lake and ledger: one decision, with its reason."""

import pyarrow as pa
import pytest
from tests import parcels, promises
from tests.deciding import COOLING, FIRST, NEXT, QUIET, READY, append, consider, decisions, look

from updraft import ingest, score
from updraft.errors import DeliveryBlocked
from updraft.lake import Lake
from updraft.ledger import Ledger
from updraft.life import incidents, monitor, retrain
from updraft.monitor import table
from updraft.monitor.table import Measurement
from updraft.partition import calendar

pytestmark = pytest.mark.slow


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
    assert said["because"].startswith("feature_drift in 3 of the last 3 partitions")
    assert "but last trained at 2024-01-17 18:00, cooldown of 5d until 2024-01-22 18:00" in said["because"]
    assert decisions(drifting)[0].facts["incident"].startswith("feature_drift:")


def test_an_incident_that_outlasts_the_cooldown_asks_for_one_training(drifting):
    said = consider(drifting, READY)
    assert said["action"] == "retrain"
    assert "feature_drift in 3 of the last 3" in said["because"]
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
        ("19", "calm"), ("20", "feature_drift/cooldown"), ("23", "feature_drift"), ("24", "performance/cooldown"),
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


def test_broken_data_is_an_incident_before_there_is_a_champion_too(parcels_case, tmp_path):
    lake, inbox, at = Lake(str(tmp_path / "lake")), tmp_path / "inbox", calendar(parcels_case).at("2024-01-02")
    parcels.drop(parcels_case, inbox, [at.key])
    file = inbox / f"parcels/{at.key}.csv"
    sound = file.read_text()
    file.write_text("\n".join([sound.splitlines()[0], *[f"{n},A,heavy,today,now" for n in range(30)]]) + "\n")
    with pytest.raises(DeliveryBlocked):
        ingest.stage(parcels_case, "parcels", [at.key], lake, inbox)
    assert retrain.consider(parcels_case, at, lake, who="test")["action"] == "quarantine"
    file.write_text(sound)
    ingest.stage(parcels_case, "parcels", [at.key], lake, inbox)
    assert retrain.consider(parcels_case, at, lake, who="test")["kind"] == "no_champion/nothing_new"
    kinds = [(record.kind, record.model) for record in Ledger(lake, "parcels").records()]
    assert kinds == [("incident", None), ("decided", None), ("resolved", None), ("decided", None)]


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
    assert said["because"].startswith("the feed is broken: weight (")
    assert "values went missing: weight (" in said["because"]
    assert said["because"].endswith("retraining would learn the fault")
    assert [r.facts["kind"] for r in incidents.unclosed(observed.case, observed.lake)] == ["broken_feed"]


# ---- is it worth it ----------------------------------------------------------------------------------------------


def test_what_is_at_stake_is_the_drop_against_the_holdout_times_the_rows_until_the_next_training(observed):
    champion = Ledger(observed.lake, "parcels").state().champion
    watched = monitor.watch_partitions(observed.case, [QUIET], observed.lake)
    held = retrain.examined(observed.case, observed.lake, champion)["metrics"]["value"]["value"]
    every = table.from_arrow(observed.lake.read("monitor/parcels", [QUIET]))
    rows = [one for one in every if (one.metric, one.subject) != ("value_per_row", "all")]
    observed.lake.replace("monitor/parcels", table.to_arrow(rows), [QUIET])
    assert retrain._stake(observed.case, observed.lake, watched, look(observed, QUIET)) is None, "nobody knows"
    rows.append(Measurement(QUIET, "value_per_row", "all", held - 0.5, 60, "info"))
    observed.lake.replace("monitor/parcels", table.to_arrow(rows), [QUIET])
    stake = retrain._stake(observed.case, observed.lake, watched, look(observed, QUIET))
    assert (stake.per_row, stake.rows) == (pytest.approx(0.5), 60 * 5), "60 parcels a day, a cooldown of five days"

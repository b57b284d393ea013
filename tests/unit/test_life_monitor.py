import json
from dataclasses import replace

import pyarrow as pa
import pytest
from tests import parcels, promises
from tests.watching import FIRST, LATE, MARKS, MONITOR, QUIET, SECOND, champion, measured, watch

from updraft import score
from updraft.errors import FeaturesInvalid, ModelRejected, NoChampion
from updraft.ledger import Ledger
from updraft.life import monitor
from updraft.life.measured import history
from updraft.monitor.incident import lasting
from updraft.partition import calendar

pytestmark = pytest.mark.slow


# ---- labels ------------------------------------------------------------------------------------------------------


def test_labels_of_scored_partitions_are_written_once_they_are_mature(drifting):
    at = calendar(drifting.case).at("2024-01-25")
    assert monitor.mature(drifting.case, at, drifting.lake) == {"mature": 7, "newest": "2024-01-22", "waiting": {}}
    assert "2024-01-22" in drifting.lake.partitions("labels/parcels")
    assert "2024-01-23" not in drifting.lake.partitions("labels/parcels")


def test_labels_that_cannot_be_written_yet_are_named(drifting, tmp_path):
    (tmp_path / "lake" / MARKS / "2024-01-24").unlink()
    said = monitor.mature(drifting.case, calendar(drifting.case).at("2024-01-25"), drifting.lake)
    late = dict.fromkeys(("2024-01-21", "2024-01-22"), "waits for arrivals of 2024-01-24")
    assert said == {"mature": 5, "newest": "2024-01-22", "waiting": late}


# ---- measuring ---------------------------------------------------------------------------------------------------


def test_a_quiet_partition_is_measured_whole_and_nothing_is_alarming(observed):
    seen = watch(observed, QUIET)
    assert (seen.partition, seen.champion, seen.alarms, seen.incident, seen.due) == (
        QUIET, champion(observed), {}, None, False,
    )  # fmt: skip
    subjects = {(r["metric"], r["subject"]) for r in observed.lake.read(MONITOR, [QUIET]).to_pylist()}
    assert {("feature_psi", name) for name in observed.case.features} <= subjects
    assert measured(observed, QUIET, "scored")["value"] == 2 * parcels.PER_DAY, "a window of two partitions"
    assert measured(observed, QUIET, "feature_psi", "weight")["status"] == "ok"


def test_what_a_champion_says_decides_and_brings_about_is_held_against_its_holdout(drifting):
    quiet, turned = ({r["metric"]: r for r in drifting.lake.read(MONITOR, [key]).to_pylist()} for key in (QUIET, LATE))
    assert {quiet[metric]["status"] for metric in ("decision_rate", "score_distance")} <= {"ok", "unknown"}
    assert turned["score_distance"]["status"] == "unknown", "two partitions hardly show what is more than chance"
    three = drifting.case.monitor.model_copy(update={"window": 3})
    monitor.watch_partitions(drifting.case.model_copy(update={"monitor": three}), [LATE], drifting.lake)
    assert measured(drifting, LATE, "score_distance")["status"] == "drifted"
    watch(drifting, LATE)
    weight = measured(drifting, LATE, "reason_shift", "weight")
    assert (weight["status"], weight["n"]) == ("drifted", 2 * parcels.PER_DAY)
    assert measured(drifting, LATE, "calibration_gap")["value"] < -0.1, "late is what the champion says of heavy ones"
    assert measured(drifting, LATE, "value_per_row", "all")["n"] > 0
    assert measured(drifting, LATE, "quality_torn", "arrivals")["value"] == 0


def test_performance_is_unknown_before_a_label_is_mature_which_is_neither_calm_nor_alarm(observed):
    auc = measured(observed, QUIET, "auc")
    assert (auc["status"], auc["value"]) == ("unknown", None)
    assert auc["reason"]


def test_a_partition_that_was_not_scored_is_not_measured(observed):
    with pytest.raises(FeaturesInvalid, match="Partition 2024-01-19 of parcels has not been scored"):
        watch(observed, FIRST)
    assert observed.lake.partitions(MONITOR) == [QUIET]


def test_without_a_champion_there_is_nothing_to_measure(observed):
    Ledger(observed.lake, "parcels").append("retired", why="too old", who="test", model=champion(observed))
    with pytest.raises(NoChampion):
        watch(observed, QUIET)


def test_a_champion_without_a_reference_is_said_to_be_so(observed, tmp_path):
    (tmp_path / "lake" / "references" / "parcels" / f"{champion(observed)}.json").unlink()
    with pytest.raises(ModelRejected, match="has no monitoring reference"):
        watch(observed, QUIET)


def test_a_champion_that_was_never_examined_is_said_to_be_so(observed):
    with pytest.raises(ModelRejected, match="has not been through the gates"):
        monitor.on_holdout(observed.case, observed.lake, "f" * 64)
    found = monitor.on_holdout(observed.case, observed.lake, champion(observed))
    assert 0.8 < found.low < found.value < found.high


# ---- drift -------------------------------------------------------------------------------------------------------


def test_one_alarm_is_no_incident_two_are(drifting):
    first = watch(drifting, FIRST)
    assert set(first.alarms) == {"feature_drift"}, "of a window half of which turned, scores could be by chance"
    assert first.incident is None
    assert not first.due
    second = watch(drifting, SECOND)
    assert second.incident.kind == "feature_drift"
    assert (second.incident.opened, second.incident.is_new, second.due) == (SECOND, True, True)
    assert second.incident.champion == champion(drifting)
    assert "2024-01-19, 2024-01-20" in second.incident.reason
    assert measured(drifting, SECOND, "feature_psi", "weight")["status"] == "drifted"
    assert len(json.dumps(second.summary())) < 4096


def test_performance_is_judged_on_what_came_true(drifting):
    seen = watch(drifting, LATE)
    assert "performance" in seen.alarms
    auc = measured(drifting, LATE, "auc")
    assert (auc["status"], auc["n"] > 100) == ("drifted", True)
    assert auc["value"] < 0.5 < auc["limit"]


def test_when_labels_stop_arriving_performance_is_unknown_and_drift_is_watched_on(drifting, tmp_path):
    for mark in (tmp_path / "lake" / MARKS).iterdir():
        if mark.name >= "2024-01-19":
            mark.unlink()
    labels = drifting.lake.read("labels/parcels")
    kept = labels.filter(pa.compute.less(labels["partition"], "2024-01-17"))
    drifting.lake.replace("labels/parcels", kept, drifting.lake.partitions("labels/parcels"))
    seen = watch(drifting, LATE)
    assert "performance" not in seen.alarms
    assert "feature_drift" in seen.alarms
    auc = measured(drifting, LATE, "auc")
    assert (auc["status"], auc["value"]) == ("unknown", None)
    assert "waits for arrivals" in auc["reason"]
    assert measured(drifting, LATE, "labels", "missing")["value"] == 2 * parcels.PER_DAY


def test_measuring_again_or_in_another_order_sees_the_same(drifting):
    once = [watch(drifting, key) for key in (FIRST, SECOND, LATE)]
    again = [watch(drifting, key) for key in (LATE, SECOND, FIRST)]
    assert again[::-1] == once


def test_a_new_champion_starts_without_the_incident_of_the_old_one(drifting):
    old = champion(drifting)
    assert watch(drifting, LATE).incident is not None
    (trained,) = [r for r in Ledger(drifting.lake, "parcels").records() if r.kind == "trained"]
    new = trained.facts["baselines"]["trivial"]
    for place in ("evidence", "references"):
        drifting.lake.put(f"{place}/parcels/{new}.json", drifting.lake.get(f"{place}/parcels/{old}.json"))
    Ledger(drifting.lake, "parcels").append("promoted", why="by hand", who="test", model=new)
    seen = watch(drifting, LATE)
    assert (seen.champion, seen.incident) == (new, None)
    assert measured(drifting, LATE, "scored")["value"] == 0, "it has scored nothing yet"
    score.partitions(drifting.case, ["2024-01-24", "2024-01-25"], drifting.lake, champion=new, rescore=True)
    watch(drifting, "2024-01-25")
    assert measured(drifting, "2024-01-25", "scored")["value"] == 2 * parcels.PER_DAY


# ---- the incident on record --------------------------------------------------------------------------------------


def test_an_incident_is_recorded_once_while_it_is_open(drifting):
    found = watch(drifting, SECOND).incident
    opened = [monitor.open_incident(drifting.case, found, key, drifting.lake, who="test") for key in (SECOND, LATE)]
    assert opened == [True, False]
    (record,) = [r for r in Ledger(drifting.lake, "parcels").records() if r.kind == "incident"]
    assert (record.partition, record.model, record.why) == (SECOND, champion(drifting), found.reason)
    assert record.facts["identity"] == f"feature_drift:{champion(drifting)}"
    other = replace(found, kind="performance")
    assert monitor.open_incident(drifting.case, other, LATE, drifting.lake, who="test"), "another kind is another one"
    assert promises.broken(drifting.lake, drifting.case) == []


def test_a_new_champion_closes_the_incidents_of_the_old_one(drifting):
    found = watch(drifting, SECOND).incident
    ledger = Ledger(drifting.lake, "parcels")
    monitor.open_incident(drifting.case, found, SECOND, drifting.lake, who="test")
    assert len(ledger.state().open_incidents) == 1
    ledger.append("promoted", why="by hand", who="test", model="f" * 64)
    assert ledger.state().open_incidents == ()


def last_for(world, count):
    """Let the alarms of the twenty-third have lasted for `count` more partitions, without measuring each."""
    dates = calendar(world.case)
    rows, day = world.lake.read(MONITOR, [LATE]), dates.at(LATE)
    place = rows.schema.get_field_index("partition")
    for ahead in range(1, count + 1):
        key = dates.step(day, ahead).key
        world.lake.replace(MONITOR, rows.set_column(place, "partition", pa.array([key] * len(rows))), [key])
    return [dates.step(day, ahead) for ahead in range(1, count + 1)]


def test_while_an_incident_lasts_the_controller_is_woken_every_few_partitions(drifting):
    """However long it lasts: a lost event, or a cooldown that has passed, must not go unnoticed."""
    days = last_for(drifting, 19)
    woken = []
    for now in days:
        found = lasting(history(drifting.case, now, drifting.lake), drifting.case, champion=champion(drifting))
        woken.append(monitor._due(drifting.case, now, found))
    assert [sum(woken[at : at + 3]) for at in range(17)] == [1] * 17, "every third partition, of=3"


# ---- drift, seen from what the champion goes by ------------------------------------------------------------------


def test_the_drift_of_what_the_champion_goes_by_is_weighed_by_its_importance(drifting):
    watch(drifting, SECOND)
    found = measured(drifting, SECOND, "important_drift")
    assert (found["status"], found["value"] > 0.5) == ("drifted", True)
    assert "weight (" in found["reason"]
    assert measured(drifting, SECOND, "broken_feed", "weight")["status"] == "ok", "the world turned, not the feed"


def test_a_classifier_tells_turned_parcels_from_those_the_champion_learnt_from(drifting):
    quiet, found = (measured(drifting, key, "multivariate_drift") for key in (QUIET, SECOND))
    assert quiet["high"] < found["low"] < found["value"] <= found["high"] <= 1
    assert (found["status"], found["n"]) == ("ok", 2 * parcels.PER_DAY), "runs of two partitions differ as widely"
    assert found["value"] < found["limit"] < 1
    assert "it goes by weight" in found["reason"]


def test_rows_that_were_built_again_by_another_definition_are_not_compared(drifting):
    from updraft.features import table

    rows = drifting.lake.read(table(drifting.case), ["2024-01-15"])
    place = rows.schema.get_field_index("fingerprint")
    other = rows.set_column(place, rows.schema.field(place), pa.array(["0" * 64] * len(rows)))
    drifting.lake.replace(table(drifting.case), other, ["2024-01-15"])
    watch(drifting, SECOND)
    found = measured(drifting, SECOND, "multivariate_drift")
    assert (found["status"], found["value"]) == ("unknown", None)
    assert "built again by another definition" in found["reason"]

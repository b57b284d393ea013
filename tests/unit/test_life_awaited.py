"""What others wait for is read from ledger, monitor table and deliveries."""

import pytest

from updraft.errors import PartitionInvalid, SettingInvalid
from updraft.ledger import Ledger
from updraft.life import awaited
from updraft.life.monitor import monitor_table
from updraft.monitor import table
from updraft.monitor.table import Measurement

FIRST, DAY, NEXT = "2024-01-04", "2024-01-05", "2024-01-06"


@pytest.fixture
def measured(case, lake):
    """Write what was measured of partitions: the status of the scores' drift."""

    def measured(**days):
        for day, status in days.items():
            key = f"2024-01-{day.removeprefix('d')}"
            rows = [
                Measurement(key, "scored", "champion", 60, 60, "info"),
                Measurement(key, "score_distance", "scores", 0.3, 60, status, "PSI 0.30"),
                Measurement(key, "auc", "all", 0.7, 60, "ok"),
                Measurement(key, "drifted_share", "features", 0.0, 60, "ok"),
            ]
            lake.replace(monitor_table(case), table.to_arrow(rows), [key])

    return measured


def record(case, lake, kind, partition, /, **facts):
    model = {"model": "champion"} if kind in ("incident", "promoted") else {}
    how = {"why": f"{kind} at {partition}", "who": "test", "partition": partition, "facts": facts, **model}
    return Ledger(lake, case.name).append(kind, **how)


def look(case, lake, *kinds, since=DAY, evidence="incident"):
    return awaited.drift(case, lake, kinds=kinds, since=since, evidence=evidence)


def test_an_alarm_counts_from_the_partition_on_and_the_newest_is_named(case, lake, measured):
    measured(d04="drifted", d05="ok")
    assert look(case, lake, evidence="alarm").met is False
    measured(d06="drifted", d07="drifted")
    seen = look(case, lake, evidence="alarm")
    assert (seen.met, seen.why) == (True, "2024-01-07: PSI 0.30")


def test_only_the_kinds_asked_for_count(case, lake, measured):
    measured(d05="drifted")
    assert look(case, lake, "prediction_drift", evidence="alarm").met
    assert not look(case, lake, "performance", evidence="alarm").met


def test_without_drift_it_says_what_was_looked_for_and_how_far_one_can_see(case, lake, measured):
    told = look(case, lake, "performance").why
    assert told == f"no incident of performance about tiny since {DAY}; nothing has been measured yet"
    measured(d05="ok", d06="unknown")
    told = look(case, lake, "performance", "prediction_drift", evidence="alarm").why
    assert told == (
        f"no alarm of performance or prediction_drift about tiny since {DAY}; the newest partition measured is {NEXT}"
    )


def test_a_single_alarm_is_no_incident(case, lake, measured):
    measured(d05="drifted")
    assert not look(case, lake).met


def test_an_incident_that_is_open_still_counts_however_old_it_is(case, lake):
    record(case, lake, "incident", FIRST, kind="performance")
    assert look(case, lake) == awaited.Looked(True, f"incident at {FIRST}")
    assert not look(case, lake, "feature_drift").met


@pytest.mark.parametrize(("opened", "met"), [(FIRST, False), (DAY, True), (NEXT, True)])
def test_one_that_is_closed_counts_when_it_was_recorded_since(case, lake, opened, met):
    record(case, lake, "incident", opened, kind="performance")
    record(case, lake, "promoted", NEXT)
    assert look(case, lake).met is met


def test_a_kind_or_a_partition_that_is_none_is_named(case, lake):
    with pytest.raises(SettingInvalid, match="did you mean 'performance'"):
        look(case, lake, "performence")
    with pytest.raises(PartitionInvalid, match="write it like"):
        look(case, lake, since="../x")


def test_labels_are_complete_once_all_they_could_rest_on_is_delivered(parcels_case, delivered):
    assert awaited.labels(parcels_case, delivered, ["2024-01-04", DAY]) == awaited.Looked(
        True, f"the labels of parcels are complete for 2 partitions to {DAY}"
    )


def test_labels_that_are_not_complete_say_what_they_wait_for(parcels_case, delivered):
    days = ["2024-02-07", "2024-02-08", "2024-02-09", "2024-02-10", "2024-02-11"]
    seen = awaited.labels(parcels_case, delivered, ["2024-01-04", *days])
    assert seen.met is False
    assert seen.why.startswith("labels of parcels: 2024-02-")
    assert "waits for arrivals of 2024-02-12" in seen.why
    assert len(seen.why) < 600


def test_looking_at_labels_writes_nothing(parcels_case, delivered):
    before = delivered.partitions("label/parcels"), delivered.partitions("labels/parcels")
    awaited.labels(parcels_case, delivered, [DAY])
    assert (delivered.partitions("label/parcels"), delivered.partitions("labels/parcels")) == before

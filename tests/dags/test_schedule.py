"""Which partitions the clock brings: Airflow's own reading of the schedules, over whole histories."""

from datetime import UTC, datetime
from itertools import islice

import pytest
from airflow.serialization.serialized_objects import DagSerialization
from airflow.timetables.base import TimeRestriction
from airflow.timetables.simple import PartitionedAtRuntime
from airflow.timetables.trigger import CronPartitionTimetable

from updraft.partition import calendar
from updraft.spec import load

FIRST = {"day": "2013-03-01", "week": "2012-W50", "hour": "2013-03-09T20"}


def stored(dag):
    """A DAG as the scheduler reads it from the database."""
    return DagSerialization.from_dict(DagSerialization.to_dict(dag))


def ticks(dag):
    """Key of the partition and moment of each tick, from the DAG's start on."""
    scheduled, last = stored(dag), None
    restriction = TimeRestriction(scheduled.start_date, scheduled.end_date, catchup=True)
    while last := scheduled.timetable.next_dagrun_info_v2(last_dagrun_info=last, restriction=restriction):
        yield last.partition_key, last.run_after


def test_the_demo_would_tick_at_six_in_the_evening_for_the_day_to_come(parsed):
    dag = parsed(going_on={"partitions": {"last": None}})["going_on__ingest"]
    assert type(stored(dag).timetable) is CronPartitionTimetable
    said = stored(dag).timetable.serialize()
    assert (said["expression"], said["run_offset"], said["key_format"]) == ("0 18 * * *", 1, "%Y-%m-%d")
    days = dict(islice(ticks(dag), 200))
    assert days["2013-01-01"] == datetime(2012, 12, 31, 23, tzinfo=UTC)
    assert days["2013-07-01"] == datetime(2013, 6, 30, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    "partitions",
    [
        pytest.param({"every": "day", "timezone": "UTC", "cron": None}, id="days"),
        pytest.param({"every": "day", "timezone": "America/New_York", "cron": "0 18 * * *"}, id="days, New York"),
        pytest.param({"every": "day", "timezone": "Pacific/Auckland", "cron": "30 0 * * *"}, id="days, Auckland"),
        pytest.param({"every": "week", "timezone": "UTC", "cron": None}, id="weeks"),
        pytest.param({"every": "week", "timezone": "America/New_York", "cron": "0 18 * * 0"}, id="weeks, on Sundays"),
        pytest.param({"every": "hour", "timezone": "UTC", "cron": None}, id="hours"),
        pytest.param({"every": "hour", "timezone": "America/New_York", "cron": None}, id="hours, New York"),
        pytest.param({"every": "hour", "timezone": "Asia/Kolkata", "cron": "40 * * * *"}, id="hours, half an hour off"),
    ],
)
@pytest.mark.parametrize("lead_time", ["0h", "6h", "30h"])
def test_the_clock_brings_every_partition_once_before_it_begins(parsed, use_cases, partitions, lead_time):
    said = {**partitions, "first": FIRST[partitions["every"]], "last": None}
    dag = parsed(other={"partitions": said, "problem": {"lead_time": lead_time}})["other__ingest"]
    dates, found = calendar(load.load("other", use_cases)), list(islice(ticks(dag), 40))
    assert [key for key, _ in found] == [dates.step(dates.first, count).key for count in range(40)]
    assert all(dates.step(dates.at(key), -1).start <= tick < dates.at(key).start for key, tick in found)


def test_a_history_that_has_an_end_is_run_by_hand_and_takes_a_key_at_any_time(flights):
    assert flights["ingest"].end_date is None  # Airflow would end later runs without starting a task
    timetable = stored(flights["ingest"]).timetable
    assert type(timetable) is PartitionedAtRuntime
    assert list(ticks(flights["ingest"])) == []
    stored(flights["ingest"]).validate_partition_key("2013-06-11")


def test_a_training_has_a_schedule_only_when_the_spec_says_so(flights, parsed):
    assert flights["train"].timetable.can_be_scheduled is False
    weekly = parsed(weekly={"partitions": {"last": None}, "retrain": {"cron": "0 3 * * 2"}})["weekly__train"]
    assert list(islice(ticks(weekly), 2)) == [
        ("2013-01-01", datetime(2013, 1, 1, 8, tzinfo=UTC)),
        ("2013-01-08", datetime(2013, 1, 8, 8, tzinfo=UTC)),
    ]


def test_a_sweep_runs_once_a_day_for_the_day_it_falls_into(flights, parsed):
    assert list(ticks(flights["sweep"])) == []
    daily = parsed(daily={"partitions": {"last": None}})["daily__sweep"]
    assert list(islice(ticks(daily), 2)) == [
        ("2012-12-31", datetime(2012, 12, 31, 8, tzinfo=UTC)),
        ("2013-01-01", datetime(2013, 1, 1, 8, tzinfo=UTC)),
    ]


def test_a_drill_runs_once_a_week_for_the_day_it_falls_into(flights, parsed):
    assert list(ticks(flights["drill"])) == []
    weekly = parsed(weekly={"partitions": {"last": None}})["weekly__drill"]
    assert list(islice(ticks(weekly), 2)) == [
        ("2012-12-31", datetime(2012, 12, 31, 9, tzinfo=UTC)),
        ("2013-01-07", datetime(2013, 1, 7, 9, tzinfo=UTC)),
    ]

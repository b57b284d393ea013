import pandas as pd
import pytest
from tests.monitored import use_case
from tests.week import CASE, DAY, HOLDOUT, REFERENCE, look, one, rows

from updraft.monitor.reference import profile
from updraft.monitor.season import alike, named

YEAR = [str(day.date()) for day in pd.date_range("2013-01-01", "2014-03-01")]


def case(season, **parts):
    return use_case(features=CASE.model_dump()["features"], monitor={"season": season, "min_rows": 50}, **parts)


@pytest.mark.parametrize(
    ("season", "window", "chosen"),
    [
        pytest.param("none", ["2014-03-02"], YEAR, id="the whole reference"),
        pytest.param("week", ["2014-03-02"], YEAR[5::7], id="Sundays with a Sunday"),
        pytest.param("week", ["2014-03-02", "2014-03-03"], sorted(YEAR[5::7] + YEAR[6::7]), id="two weekdays"),
        pytest.param(
            "year",
            ["2014-03-02"],
            [d for d in YEAR if "2013-01-16" <= d <= "2013-04-16" or d >= "2014-01-16"],
            id="the quarter around it, of every year",
        ),
        pytest.param("none", [], YEAR, id="no window"),
    ],
)
def test_a_window_is_compared_with_its_own_season(season, window, chosen):
    marked = alike(case(season), YEAR, window)
    assert [key for key, is_alike in zip(YEAR, marked, strict=True) if is_alike] == chosen


def test_hours_and_weeks_have_seasons_too():
    hours = case("week", partitions={"first": "2013-01-01T00", "every": "hour", "timezone": "America/New_York"})
    # Four in the morning in UTC is still Sunday evening in New York.
    assert alike(hours, ["2013-06-09T12", "2013-06-10T03", "2013-06-10T12"], ["2013-06-17T03"]).tolist() == [
        True, True, False,
    ]  # fmt: skip
    weeks = case("year", partitions={"first": "2013-W01", "every": "week"})
    assert alike(weeks, ["2013-W01", "2013-W26"], ["2013-W52"]).tolist() == [True, False]


def test_what_was_compared_with_is_said():
    assert named(case("none"), 60) == ""
    assert named(case("week"), 8) == ", against 8 partitions of the same weekdays"


def weekly(weeks=8):
    """Days of which Sundays are warm, as profile and as case."""
    days = [str(day.date()) for day in pd.date_range("2013-01-01", periods=7 * weeks)]
    frame = REFERENCE.head(100 * len(days)).copy()
    frame["partition"] = [days[n // 100] for n in range(len(frame))]
    sunday = pd.to_datetime(frame["partition"]).dt.dayofweek == 6
    return frame.assign(temp=frame["temp"] + 3.0 * sunday)


@pytest.mark.parametrize(
    ("season", "warmer", "status", "distance"),
    [
        pytest.param("week", 3.0, "ok", 0.0, id="a Sunday as Sundays are"),
        pytest.param("week", 0.0, "drifted", 2.0, id="a Sunday that is like a Monday"),
        pytest.param("none", 3.0, "ok", 1.8, id="far from most days, yet one day in seven is"),
        pytest.param("none", 0.0, "ok", 0.3, id="like most days"),
    ],
)
def test_a_day_is_judged_by_its_weekday_where_the_spec_says_so(season, warmer, status, distance):
    at = case(season)
    sunday = rows(n=200).assign(partition="2013-03-03", temp=lambda f: f["temp"] + warmer)
    seen = look(sunday, case=at, profile=profile(weekly(), at, REFERENCE["score"]), holdout=HOLDOUT)
    found = one(seen, "feature_distance", "temp")
    assert (found.status, found.value) == (status, pytest.approx(distance, abs=0.2))
    assert ("of the same weekdays" in found.reason) == (season == "week")


def test_a_season_the_reference_has_not_seen_is_unknown():
    at = case("year")
    seen = look(rows().assign(partition="2013-08-08"), case=at, profile=profile(weekly(), at, REFERENCE["score"]))
    assert one(seen, "important_drift").status == "unknown"
    assert one(seen, "feature_psi", "temp").reason == (
        "the reference has 0 partitions of the same season to compare with, 5 are needed"
    )
    assert {m.partition for m in seen} == {DAY}

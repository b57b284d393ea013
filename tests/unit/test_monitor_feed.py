from dataclasses import replace

import numpy as np
import pytest
from tests.weather import CASE, LAST, NOW, REFERENCE, TRAINED, WEEK, weather
from tests.week import CHAMPION, HOLDOUT

from updraft.monitor.feed import UNITS
from updraft.monitor.measures import feed
from updraft.monitor.reference import profile
from updraft.monitor.table import Measurement
from updraft.monitor.window import Window


def seen(frame, *, reference=REFERENCE, earlier=()):
    none = frame.iloc[:0]
    window = Window(CASE, LAST, CHAMPION, reference, frame, none, none, {}, HOLDOUT, earlier=earlier)
    return {m.subject: m for m in feed.measure(window)}


def from_day(name, change, first=LAST):
    """The week with a feature changed from a day on."""
    late = NOW["partition"] >= first
    return NOW.assign(**{name: NOW[name].mask(late, change(NOW[name]))})


@pytest.mark.parametrize(
    ("name", "change", "why"),
    [
        pytest.param(
            "temperature", lambda v: np.nan, "100% of the values are missing, at most 0% are usual", id="gone"
        ),
        pytest.param("minutes", lambda v: v.where(v.index % 2 == 0), "50% of the values are missing", id="half gone"),
        pytest.param("carrier", lambda v: None, "100% of the values are missing", id="no airline"),
        pytest.param("temperature", lambda v: 61.3, "all 100 values are '61.3'", id="a stuck sensor"),
        pytest.param("carrier", lambda v: "UA", "all 100 values are 'UA'", id="a default"),
        pytest.param("carrier", lambda v: v.str.lower(), "100 of 100 categories were never", id="another spelling"),
        pytest.param(
            "temperature", lambda v: (v - 32) / 1.8, "a jump that fits a change of unit such as", id="Celsius"
        ),
        pytest.param(
            "temperature", lambda v: v * 1.8 + 32, "a jump that fits a change of unit such as", id="taken for Celsius"
        ),
        pytest.param("minutes", lambda v: v / 60, "change of unit such as / 60", id="hours"),
        pytest.param("minutes", lambda v: v * 1000, "change of unit such as x 1000", id="thousandths"),
        pytest.param("minutes", lambda v: v * 0.3048, "a jump that fits a change of unit such as", id="metres"),
    ],
)
def test_a_fault_of_the_feed_is_named(name, change, why):
    found = seen(from_day(name, change))
    assert (found[name].status, found[name].value, found[name].n) == ("drifted", 1, 7)
    assert found[name].reason.startswith(f"{LAST}: ")
    assert why in found[name].reason
    assert {m.status for other, m in found.items() if other != name} == {"ok"}


@pytest.mark.parametrize(
    ("name", "change"),
    [
        pytest.param("temperature", lambda v: v + 15, id="a heat wave"),
        pytest.param("temperature", lambda v: v - 30, id="a cold spell"),
        pytest.param("minutes", lambda v: v + 120, id="longer routes"),
        pytest.param("minutes", lambda v: v * 1.5, id="half as long again"),
        pytest.param("minutes", lambda v: v * 0.7, id="shorter"),
        pytest.param("minutes", lambda v: v.where(v.index % 25 != 0), id="a few missing"),
        pytest.param("rain", lambda v: 0.0, id="a dry day"),
        pytest.param("rain", lambda v: v.abs() + 0.5, id="a wet day"),
        pytest.param("carrier", lambda v: v.replace({"DL": "ZZ", "AA": "YY"}), id="two new airlines"),
        pytest.param("carrier", lambda v: v.replace({"DL": "UA"}), id="an airline that stops"),
    ],
)
@pytest.mark.parametrize("first", [WEEK[0], LAST])
def test_a_move_of_the_world_is_no_fault(name, change, first):
    assert {m.status for m in seen(from_day(name, change, first)).values()} == {"ok"}


def test_the_seasons_are_no_fault_whatever_the_champion_learnt_from():
    winter = profile(weather(TRAINED[:60]), CASE, [0.1])
    for month in ("04", "07", "10"):
        week = [f"2013-{month}-{day:02}" for day in range(1, 8)]
        assert {m.status for m in seen(weather(week, seed=int(month)), reference=winter).values()} == {"ok"}


@pytest.mark.parametrize("factor", [100.0, 1000.0])
def test_a_jump_beyond_any_season_is_a_fault_though_the_reference_is_of_another_season(factor):
    winter = profile(weather(TRAINED[:60]), CASE, [0.1])
    summer = weather(WEEK, seed=2)
    jumped = summer.assign(temperature=summer["temperature"] * factor)
    found = seen(jumped, reference=winter)["temperature"]
    assert (found.status, found.value) == ("drifted", 7)
    assert found.reason.endswith(f"change of unit such as x {factor:g}")


def test_a_quiet_feed_is_rarely_called_broken():
    weeks = [weather(WEEK, seed=seed) for seed in range(10, 60)]
    assert sum(m.status == "drifted" for week in weeks for m in seen(week).values()) <= 1


def test_every_broken_day_of_the_window_counts():
    found = seen(from_day("temperature", lambda v: v * 1.8 + 32, WEEK[4]))["temperature"]
    assert (found.value, found.reason.count("a jump that fits")) == (3, 3)


def test_a_unit_that_a_season_could_imitate_stays_broken_after_the_jump_has_left_the_window():
    wrong = from_day("temperature", lambda v: v * 1.8 + 32, WEEK[0])
    before = Measurement(TRAINED[-1], "broken_feed", "temperature", 1, 7, "drifted", "a jump", limit=1)
    assert seen(wrong)["temperature"].status == "ok", "seen for the first time, it could be the world"
    assert seen(wrong, earlier=[before])["temperature"].value == 7
    assert seen(NOW, earlier=[before])["temperature"].status == "ok", "mended"
    mended = replace(before, partition=LAST, status="ok")
    assert seen(wrong, earlier=[before, replace(mended, partition=WEEK[-2])])["temperature"].status == "ok"


def test_the_first_days_of_a_reference_do_not_make_missing_values_usual():
    started = weather(TRAINED)
    started.loc[started["partition"] < TRAINED[10], "minutes"] = np.nan
    found = seen(from_day("minutes", lambda v: np.nan), reference=profile(started, CASE, [0.1]))
    assert found["minutes"].status == "drifted"


def test_stations_that_fall_silent_now_and_then_are_no_fault():
    """A third of the rows of a day is missing together; the reference never saw two thirds."""
    random = np.random.default_rng(1)
    silent = random.choice([0, 34], len(TRAINED), p=[0.8, 0.2])
    started = weather(TRAINED)
    started["minutes"] = started["minutes"].mask(np.tile(np.arange(100), len(TRAINED)) < np.repeat(silent, 100))
    two_thirds = from_day("minutes", lambda v: v.where(v.index % 3 == 0))
    assert seen(two_thirds, reference=profile(started, CASE, [0.1]))["minutes"].status == "ok"
    assert seen(two_thirds)["minutes"].status == "drifted", "where no station ever fell silent"


def test_categories_that_are_always_new_are_no_fault():
    named = weather(TRAINED).assign(carrier=lambda f: f["partition"] + f["carrier"])
    now = NOW.assign(carrier=NOW["partition"] + NOW["carrier"])
    assert seen(now, reference=profile(named, CASE, [0.1]))["carrier"].status == "ok"


def test_too_few_rows_are_unknown_and_a_reference_without_partitions_still_tells_what_it_can():
    few = seen(NOW.groupby("partition").head(9))
    assert {m.status for m in few.values()} == {"unknown"}
    old = replace(REFERENCE, partitions=(), parts={}, seen={})
    assert {m.status for m in seen(NOW, reference=old).values()} == {"ok"}
    assert seen(from_day("minutes", lambda v: np.nan), reference=old)["minutes"].status == "drifted"


def test_every_unit_is_undone_by_its_way_back():
    values = np.array([-40.0, 0.0, 98.6])
    for unit in UNITS:
        assert unit.back(unit.factor * values + unit.offset) == pytest.approx(values)

"""Partitions that a training leaves out, judged by the reference of a champion."""

import numpy as np
import pandas as pd
import pytest
from tests.weather import CASE, NOW, REFERENCE, TRAINED, WEEK, weather

from updraft.monitor.faulty import faulty
from updraft.monitor.reference import profile

SINCE = pd.concat([weather(TRAINED), NOW], ignore_index=True)


def changed(name, change, days, rows=SINCE):
    wrong = rows["partition"].isin(days)
    return rows.assign(**{name: rows[name].mask(wrong, change(rows[name]))})


@pytest.mark.parametrize(
    ("name", "change", "why"),
    [
        pytest.param("temperature", lambda v: np.nan, "temperature: 100% of the values are missing", id="gone"),
        pytest.param("carrier", lambda v: "UA", "carrier: all 100 values are 'UA'", id="a default"),
        pytest.param("carrier", lambda v: v.str.lower(), "carrier: 100 of 100 categories", id="another spelling"),
        pytest.param("minutes", lambda v: v / 60, "minutes: a jump that fits a change of unit", id="hours"),
        pytest.param("temperature", lambda v: v * 1.8 + 32, "temperature: a jump that fits", id="a small unit"),
    ],
)
@pytest.mark.parametrize("days", [WEEK[:1], WEEK[2:4], WEEK[3:]], ids=["the first", "two between", "the rest"])
def test_the_broken_partitions_are_named_and_no_other(name, change, why, days):
    found = faulty(CASE, REFERENCE, changed(name, change, days))
    assert list(found) == days
    assert all(said.startswith(why) for said in found.values())


@pytest.mark.parametrize(
    ("name", "change"),
    [
        pytest.param("temperature", lambda v: v + 15, id="a heat wave"),
        pytest.param("minutes", lambda v: v + 120, id="longer routes"),
        pytest.param("rain", lambda v: 0.0, id="dry days"),
        pytest.param("carrier", lambda v: v.replace({"DL": "ZZ", "AA": "YY"}), id="two new airlines"),
    ],
)
def test_a_world_that_moved_is_to_be_learnt(name, change):
    assert faulty(CASE, REFERENCE, SINCE) == {}
    assert faulty(CASE, REFERENCE, changed(name, change, WEEK[2:])) == {}


def test_two_faults_of_a_partition_are_both_told():
    found = faulty(CASE, REFERENCE, changed("carrier", lambda v: "UA", WEEK[:1], changed("minutes", np.log, WEEK[:1])))
    assert list(found) == WEEK[:1]
    twice = changed("minutes", lambda v: np.nan, WEEK[:1], changed("carrier", lambda v: "UA", WEEK[:1]))
    assert [why.split(":")[0] for why in faulty(CASE, REFERENCE, twice)[WEEK[0]].split("; ")] == ["minutes", "carrier"]


def test_what_the_champion_learnt_is_usual():
    frozen = changed("temperature", lambda v: 61.3, WEEK[-2:])
    assert list(faulty(CASE, REFERENCE, frozen)) == WEEK[-2:]
    assert faulty(CASE, profile(frozen, CASE, [0.1]), frozen) == {}


def test_a_partition_that_a_champion_left_out_stays_left_out():
    broken = changed("minutes", lambda v: v / 60, WEEK[1:3])
    later = profile(broken[~broken["partition"].isin(WEEK[1:3])], CASE, [0.1])
    assert list(faulty(CASE, later, broken)) == WEEK[1:3]


@pytest.mark.parametrize(
    "reference",
    [
        pytest.param(profile(weather(TRAINED).drop(columns="partition"), CASE, [0.1]), id="partitions are not kept"),
        pytest.param(profile(NOW, CASE, [0.1]), id="all of them are older than the reference"),
    ],
)
def test_a_reference_that_cannot_judge_leaves_nothing_out(reference):
    broken = changed("minutes", lambda v: np.nan, TRAINED[-3:])
    assert faulty(CASE, reference, broken[broken["partition"] <= TRAINED[-1]]) == {}


def test_a_feature_of_another_type_is_not_judged():
    other = CASE.model_copy(update={"features": {**CASE.features, "minutes": CASE.features["carrier"]}})
    assert faulty(other, REFERENCE, changed("minutes", lambda v: np.nan, WEEK[:1])) == {}

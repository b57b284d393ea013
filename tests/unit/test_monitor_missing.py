"""What a calibration gap says where labels are missing, whatever these would say."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from tests.outcomes import CLASSES, NUMBER, came, case, odds, several, sigmoid, window
from tests.week import DAYS, one, rows

from updraft.monitor.arrival import Arrivals
from updraft.monitor.measures import calibration
from updraft.monitor.missing import ALL_CAME, Missing, missing
from updraft.monitor.truth import truth

SEVERAL = {"column": "late", "maturity": "1d", "classes": ["none", "some", "very"]}


@pytest.mark.parametrize(
    ("known", "mean", "sure"),
    [
        pytest.param(ALL_CAME, -0.2, -0.2, id="none is missing, below"),
        pytest.param(ALL_CAME, 0.2, 0.2, id="none is missing, above"),
        pytest.param(Missing(0.05, -0.4, 0.6), -0.2, -0.16, id="few are missing, below"),
        pytest.param(Missing(0.05, -0.4, 0.6), 0.2, 0.17, id="few are missing, above"),
        pytest.param(Missing(0.30, -0.4, 0.6), -0.2, 0.0, id="many are missing and could turn it round"),
        pytest.param(Missing(0.30, -0.4, 0.6), 0.2, 0.02, id="many are missing and leave little of it"),
        pytest.param(Missing(0.30, -0.4, 0.6), 0.0, 0.0, id="nothing to explain"),
    ],
)
def test_what_is_left_of_a_mean_whatever_the_missing_rows_say(known, mean, sure):
    assert known.sure(mean) == pytest.approx(sure)
    low, high = known.ends(mean, mean)
    assert low <= mean <= high


def cohorts(gone, n=1000):
    """One cohort, of whose labels a share was not there when it was mature."""
    age = np.where(np.arange(n) < gone * n, np.nan, 2.0)
    frame = pd.DataFrame({"partition": "d", "score": 0.5, "label": np.where(np.isnan(age), np.nan, 1.0), "age": age})
    return Arrivals(frame.assign(looked=4), (1, 2, 4), 2)


def without(frame, share, among=lambda f: f["late"] >= 0, seed=4):
    """The same rows, a share of whose labels is missing among some of them."""
    gone = among(frame) & (np.random.default_rng(seed).random(len(frame)) < share)
    return frame.assign(late=frame["late"].mask(gone))


def looked(frame, gone, **how):
    return replace(window(frame, **how), arrivals=None if gone is None else cohorts(gone))


EVERY_TENTH = rows().assign(late=lambda f: f["late"].mask(np.arange(len(f)) % 10 == 0))
DARK_DAY = rows().assign(late=lambda f: f["late"].mask(f["partition"] == DAYS[2]))


@pytest.mark.parametrize(
    ("frame", "gone", "share"),
    [
        pytest.param(EVERY_TENTH, None, 0.0, id="nobody knows when labels come"),
        pytest.param(EVERY_TENTH, 0.0, 0.0, id="those without are undefined by definition"),
        pytest.param(rows(), 0.2, 0.0, id="all of the look have come since"),
        pytest.param(EVERY_TENTH, 0.06, 0.06, id="some are undefined"),
        pytest.param(EVERY_TENTH, 0.2, 0.1, id="fewer than among the cohorts"),
        pytest.param(DARK_DAY, 0.2, 0.0, id="a day without any label is left out"),
        pytest.param(rows()[:0], 0.2, 0.0, id="nothing has come"),
    ],
)
def test_labels_are_missing_that_should_be_there_and_are_not(frame, gone, share):
    seen = looked(frame, gone)
    assert missing(seen, truth(seen)).share == pytest.approx(share)


def test_a_class_can_be_off_by_its_probability_and_a_number_by_the_furthest_that_was_seen():
    seen = looked(EVERY_TENTH, 0.1)
    given = EVERY_TENTH.loc[EVERY_TENTH["late"].isna(), "score"].mean()
    assert missing(seen, truth(seen)) == Missing(0.1, -given, 1 - given)
    classes = looked(
        several(rows()).assign(late=lambda f: f["late"].where(EVERY_TENTH["late"].notna())),
        0.1,
        use_case=case(problem=CLASSES, label=SEVERAL, slices={}),
    )
    assert missing(classes, truth(classes)).most == pytest.approx(1 - given)
    numbers = EVERY_TENTH.assign(score=1.0, late=lambda f: f["late"] * 4)
    off = looked(numbers, 0.1, use_case=case(problem=NUMBER, slices={}))
    assert missing(off, truth(off)) == Missing(0.1, -1.0, 3.0)


def positives(frame):
    return frame["late"] == 1


def negatives(frame):
    return frame["late"] == 0


@pytest.mark.parametrize(
    ("shift", "share", "among", "plain", "status"),
    [
        pytest.param(0, 0.4, positives, "drifted", "unknown", id="what came true is missing"),
        pytest.param(0, 0.4, negatives, "drifted", "unknown", id="what did not is missing"),
        pytest.param(0, 0.4, lambda f: f["late"] >= 0, "ok", "ok", id="as many of either"),
        pytest.param(-1.2, 0.02, positives, "drifted", "drifted", id="less often, few are missing"),
        pytest.param(1.2, 0.02, negatives, "drifted", "drifted", id="more often, few are missing"),
        pytest.param(-1.2, 0.3, lambda f: f["late"] >= 0, "drifted", "unknown", id="less often, many are missing"),
        pytest.param(1.2, 0.4, lambda f: f["late"] >= 0, "drifted", "unknown", id="more often, many are missing"),
    ],
)
@pytest.mark.parametrize("kind", ["binary", "multiclass"])
def test_a_gap_that_missing_labels_could_explain_is_no_alarm(shift, share, among, plain, status, kind):
    frame = rows(n=600)
    frame = came(frame, sigmoid(odds(frame) + shift))
    seen, how = without(frame, share, among), {}
    if kind == "multiclass":
        seen = several(frame.assign(late=frame["late"])).assign(late=lambda f: f["late"].where(seen["late"].notna()))
        how = {"use_case": case(problem=CLASSES, label=SEVERAL, slices={})}
    gone = float(seen["late"].isna().mean())
    before, after = (one(list(calibration.measure(looked(seen, of, **how))), "calibration_gap") for of in (None, gone))
    assert (before.status, after.status, after.value) == (plain, status, before.value)
    assert after.low < before.low < before.high < after.high
    assert f"; {gone:.1%} of the labels are missing" in after.reason
    assert after.reason.endswith(", and could explain it") is (status == "unknown")


@pytest.mark.parametrize(("share", "status"), [(0.01, "drifted"), (0.3, "unknown")])
def test_the_error_of_a_number_stands_while_few_labels_are_missing(share, status):
    frame = rows(n=600)
    error = np.random.default_rng(2).normal(0.5, 1.0, len(frame))
    numbers = without(frame.assign(score=frame["temp"], late=frame["temp"] + error), share, lambda f: f["late"] < 99)
    seen = looked(numbers, share, use_case=case(problem=NUMBER, slices={}), holdout=1.0)
    assert one(list(calibration.measure(seen)), "calibration_gap").status == status


def test_where_all_labels_came_nothing_is_said_otherwise():
    frame = rows(n=600)
    frame = came(frame, sigmoid(odds(frame) - 1))
    assert list(calibration.measure(looked(frame, 0.0))) == list(calibration.measure(looked(frame, None)))


def test_labels_that_are_late_by_what_they_say_leave_the_slope_where_it_is():
    frame = rows(n=2000)
    whole, part = (
        one(list(calibration.measure(looked(seen, None))), "calibration_slope")
        for seen in (frame, without(frame, 0.4, positives))
    )
    assert part.status == whole.status == "ok"
    assert part.value == pytest.approx(whole.value, abs=0.05)

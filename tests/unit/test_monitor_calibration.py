"""Whether what the champion said came true as often as it said, for every kind of problem."""

from dataclasses import replace

import numpy as np
import pytest
from tests.outcomes import BEHAVED, CLASSES, MODEL, NUMBER, came, case, odds, seen, several, sigmoid
from tests.week import DAYS, PROFILE, REFERENCE, one, rows

from updraft.monitor.conduct import conduct
from updraft.monitor.measures import calibration, slices, value


@pytest.mark.parametrize(
    ("truth_of", "gap", "slope"),
    [
        pytest.param(lambda f: sigmoid(odds(f)), "ok", "ok", id="as said"),
        pytest.param(lambda f: sigmoid(odds(f) + 0.1), "ok", "ok", id="a little off"),
        pytest.param(lambda f: sigmoid(odds(f) + 1), "drifted", "ok", id="more often"),
        pytest.param(lambda f: sigmoid(odds(f) - 1), "drifted", "ok", id="less often"),
        pytest.param(lambda f: sigmoid(0.3 * odds(f) - 0.55), "ok", "drifted", id="too sure of itself"),
    ],
)
def test_calibration_is_off_when_it_matters_and_is_beyond_chance(truth_of, gap, slope):
    frame = rows(n=600)
    found = seen(calibration, came(frame, truth_of(frame)))
    assert (one(found, "calibration_gap").status, one(found, "calibration_slope").status) == (gap, slope)
    assert one(found, "calibration_error").value >= abs(one(found, "calibration_gap").value) - 1e-9


def test_days_that_miss_both_ways_prove_nothing():
    frame = rows(n=600)
    mood = np.where(frame["partition"].isin(DAYS[:5]), 1.5, -1.5)
    found = one(seen(calibration, came(frame, sigmoid(odds(frame) + mood))), "calibration_gap")
    assert found.status == "unknown"
    assert "chance alone moves it" in found.reason


def test_rare_outcomes_are_judged_on_the_log_odds():
    frame = rows(n=2000).assign(score=0.01)
    rare = replace(PROFILE, conduct=replace(BEHAVED, gap=None))
    twice = one(seen(calibration, came(frame, 0.02), profile=rare), "calibration_gap")
    assert (twice.status, twice.value < 0.02) == ("drifted", True)
    assert one(seen(calibration, came(frame, 0.0115), profile=rare), "calibration_gap").status == "ok"


def test_one_partition_is_held_against_how_far_partitions_of_the_holdout_differed():
    mood = np.repeat([-1.5, 1.5, 0.0, 1.2, -1.2, 0.6, -0.6], 1000)
    moody = conduct(case(), MODEL, came(REFERENCE, sigmoid(odds(REFERENCE) + mood)), "auc")
    day = rows(n=600)[:600]
    off = came(day, sigmoid(odds(day) + 1))
    alone = {"use_case": case(), "profile": replace(PROFILE, conduct=moody)}
    assert one(seen(calibration, off, **alone), "calibration_gap").status == "unknown"
    assert one(seen(calibration, off), "calibration_gap").status == "drifted"


# ---- other kinds of problems -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("bias", "status"), [(0.1, "ok"), (0.5, "drifted")])
def test_a_number_is_off_when_its_mean_error_alone_would_raise_the_rmse(bias, status):
    frame = rows(n=600)
    off = np.random.default_rng(2).normal(bias, 1.0, len(frame))
    told = case(problem=NUMBER, slices={})
    found = seen(calibration, frame.assign(score=frame["temp"], late=frame["temp"] + off), use_case=told, holdout=1.0)
    assert {m.metric for m in found} == {"calibration_gap"}
    assert one(found, "calibration_gap").status == status
    assert abs(one(found, "calibration_gap").limit) == pytest.approx(np.sqrt(1.05**2 - 1))


def test_several_classes_are_judged_on_the_probability_that_acting_is_right():
    told = case(problem=CLASSES, label={"column": "late", "maturity": "1d", "classes": ["none", "some", "very"]})
    right = rows(n=300)
    wrong = came(right, sigmoid(odds(right) + 1))
    assert one(seen(calibration, several(right), use_case=told), "calibration_gap").status == "ok"
    assert one(seen(calibration, several(wrong), use_case=told), "calibration_gap").status == "drifted"
    worth = one(seen(value, several(right), use_case=told), "value_per_row", "all")
    assert worth.value == pytest.approx(one(seen(value, right), "value_per_row", "all").value)
    assert {m.metric for m in seen(slices, several(right), use_case=told)} == {"slice_macro_auc"}

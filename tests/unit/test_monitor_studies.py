"""The study of drift runs, and says at a small size what it says at its own."""

import runpy
from pathlib import Path

import pytest

STUDY = runpy.run_path(str(Path(__file__).parents[1] / "bench" / "drift_study.py"))
HOW = {"days": 40, "rows": 80, "seed": 3}

pytestmark = pytest.mark.slow


def alarms(repeats, world, move):
    found = STUDY["study"](repeats, world=STUDY["WORLDS"][world], move=STUDY["MOVES"][move], **HOW)
    return dict(zip(STUDY["RULES"], found, strict=True))


def test_days_that_differ_alarm_whoever_counts_rows_and_hardly_those_who_count_days():
    found = alarms(10, "half, and days resemble", "nothing")
    assert found["any PSI > 0.2"] > 0.8
    assert max(found["important_drift"], found["multivariate_drift"], found["broken_feed"]) <= 0.1
    assert found["any feature"] <= 0.2


def test_a_third_of_the_importance_that_moves_by_two_deviations_is_found():
    found = alarms(5, "a tenth is the day's", "4 of 12 by 2")
    assert (found["important_drift"], found["multivariate_drift"], found["broken_feed"]) == (1, 1, 0)

"""Studies of the monitor run, and say at a small size what they say at their own."""

import json
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


CONTROLLER = runpy.run_path(str(Path(__file__).parents[1] / "bench" / "controller_study.py"))


def test_a_study_of_the_controller_goes_on_where_it_was_stopped(tmp_path):
    kept = tmp_path / "lives.jsonl"
    assert CONTROLLER["lived"](kept) == []
    (world,) = CONTROLLER["one"]((1, ["stationary"]), policies=["never"], kinds=[], years=1)
    kept.write_text(json.dumps(world) + "\n" + json.dumps(world)[:40])
    (found,) = CONTROLLER["lived"](kept)
    assert tuple(found["world"]) == ("stationary", 1)
    assert "| stationary | never | 0.0 |" in CONTROLLER["table"](tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"lives.jsonl", "table.md", "chart.png"}

"""What the champion says, decides and brings about, over time: on a week whose truth is known."""

import numpy as np
import pandas as pd
import pytest
from tests.outcomes import BEHAVED, KNOWN, NUMBER, case, seen, window
from tests.week import DAYS, PROFILE, REFERENCE, one, rows

from updraft.monitor import watch
from updraft.monitor.conduct import EXPLAINED
from updraft.monitor.measures import calibration, decisions, fairness, reasons, scores, slices, value
from updraft.monitor.reference import from_bytes, to_bytes


def test_what_is_kept_of_the_holdout_holds_no_row_and_survives_the_lake():
    kept = to_bytes(KNOWN)
    assert from_bytes(kept) == KNOWN
    assert BEHAVED.acted.value == pytest.approx(REFERENCE["acted"].mean())
    assert BEHAVED.acted.blocks == len(DAYS)
    assert BEHAVED.reasons["temp"].rows == EXPLAINED < len(REFERENCE)
    assert {name: found.rows for name, found in BEHAVED.slices.items()}["windy"] == (REFERENCE["wind"] >= 1).sum()
    assert len(kept) < 10_000


def test_a_week_like_the_holdout_is_calm_in_every_way():
    every = (calibration, decisions, fairness, reasons, scores, slices, value)
    found = [m for measure in every for m in seen(measure, rows(n=600))]
    assert {m.status for m in found} == {"ok", "info"}
    assert {m.metric for m in found} == {
        "calibration_gap", "calibration_slope", "calibration_error", "decision_rate", "refused_share", "fairness_gap",
        "reason_shift", "score_psi", "score_distance", "scored", "refused", "slice_auc", "value_per_row",
    }  # fmt: skip
    assert all(m.n > 0 for m in found)


# ---- scores and decisions ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "status"),
    [
        pytest.param(lambda f: f["score"], "ok", id="as ever"),
        pytest.param(lambda f: f["score"] ** 2, "drifted", id="all lower"),
        pytest.param(lambda f: f["score"].where(f["partition"] != DAYS[3], 0.9), "ok", id="one odd day"),
        pytest.param(lambda f: f["score"].mask(f["partition"].isin(DAYS[3:5]), 0.9), "unknown", id="two odd days"),
    ],
)
def test_scores_that_move_together_are_told_from_one_odd_day(change, status):
    found = one(seen(scores, rows().assign(score=change)), "score_distance")
    assert (found.status, 0 <= found.low < found.value < found.high) == (status, True)


def test_moved_scores_alarm_by_themselves():
    moved = rows().assign(score=lambda f: f["score"] ** 3)
    raised = watch.alarm(watch.measure(window(moved)))
    assert set(raised.reasons) == {"prediction_drift", "calibration"}, "and what they said was not true"
    assert "from the holdout; chance alone moves it by" in raised.reasons["prediction_drift"]


@pytest.mark.parametrize(
    ("acted", "status", "says"),
    [
        pytest.param(lambda f: f["acted"], "ok", "on the holdout; chance alone", id="as ever"),
        pytest.param(lambda f: f["acted"] & (f["temp"] > 1), "drifted", "% of 1050 rows acted on", id="far fewer"),
        pytest.param(lambda f: f["acted"] | (f["temp"] > -0.4), "ok", "on the holdout", id="some more"),
        pytest.param(
            lambda f: f["acted"] & f["partition"].isin(DAYS[:4]), "unknown", "chance alone", id="three days without"
        ),
    ],
)
def test_the_share_acted_on_is_held_against_the_holdout_with_days_as_blocks(acted, status, says):
    found = one(seen(decisions, rows().assign(acted=acted)), "decision_rate")
    assert (found.status, found.low <= found.value <= found.high) == (status, True)
    assert says in found.reason


def test_a_decision_rate_without_rows_or_reference_is_unknown():
    few = one(seen(decisions, rows(n=10)), "decision_rate")
    assert (few.status, few.reason) == ("unknown", "70 rows in the window, 500 are needed")
    assert one(seen(decisions, rows()[:0]), "decision_rate").reason == "no row was scored"
    old = one(seen(decisions, rows(), profile=PROFILE), "decision_rate")
    assert (old.status, old.value) == ("unknown", rows()["acted"].mean())


def test_refused_rows_are_a_share_with_its_causes():
    bad = rows().assign(refused=None)
    bad.loc[bad.index[:21], ["score", "refused"]] = [np.nan, "temp is infinite"]
    found = one(seen(decisions, bad), "refused_share")
    assert (found.value, found.reason) == (0.02, "temp is infinite (21 rows)")
    assert one(seen(decisions, bad), "decision_rate").n == 1029


# ---- value -------------------------------------------------------------------------------------------------------


def test_value_follows_from_what_was_decided_and_came_true():
    frame = pd.DataFrame({"partition": np.repeat(DAYS, 100), "score": 0.5, "carrier": "UA", "temp": 0.0, "wind": 0.0})
    frame["late"], frame["acted"] = np.tile([1.0, 0.0], 350), np.tile([True, True, False, False], 175)
    found = {m.subject: m for m in seen(value, frame)}
    assert {name: m.value for name, m in found.items()} == {"all": 0.5, "nobody": 0.0, "everybody": 1.0}
    assert found["all"].status == "drifted", "to act on everybody would have been worth more, every day"
    assert found["all"].reason.startswith("acting on everybody is worth 1 a row; the champion adds -0.5")
    assert (found["all"].limit, found["nobody"].status) == (1.0, "info")


def test_a_champion_that_earns_its_keep_is_ok():
    found = one(seen(value, rows(n=600)), "value_per_row", "all")
    assert (found.status, found.low < found.value < found.high) == ("ok", True)


def test_a_number_has_a_cost_and_no_peers():
    frame = rows().assign(score=1.0, late=3.0)
    (found,) = seen(value, frame, use_case=case(problem=NUMBER, slices={}))
    assert (found.subject, found.value, found.status) == ("all", -4.0, "info")

"""Estimates as measurements: judged like realised performance, and only as far as their record allows."""

import math

import numpy as np
import pytest
from tests.week import CHAMPION, DAY, DAYS, look, one, rows

from updraft.evidence.interval import Interval
from updraft.monitor.table import Measurement
from updraft.monitor.watched import Watched


def earlier(errors, champion=CHAMPION):
    """Looks at days before, each with an error of its estimate."""
    return [
        Measurement(f"2013-03-{day:02}", metric, subject, value, 100, "info")
        for day, error in enumerate(errors, 1)
        for metric, subject, value in (("scored", champion, 100.0), ("estimate_error", "all", error))
    ]


def harder(**other):
    """A week of rows that can hardly be told apart; the champion knows, and says so."""
    return rows(**other).assign(score=lambda f: 0.3 + (f["score"] - 0.3) / 8)


def test_an_estimate_as_good_as_the_holdout_is_ok_and_says_what_it_rests_on():
    found = one(look(rows()), "estimated_auc")
    assert (found.status, found.n) == ("ok", 1050)
    assert found.low < found.value < found.high
    assert found.limit < found.value
    assert found.reason.startswith("estimated AUC 0.")
    assert f"calibrated on 1050 labels of 7 partitions up to {DAYS[-1]}" in found.reason


def test_rows_that_became_harder_alarm_before_their_labels_come():
    seen = look(harder(n=600), known=harder(n=600, seed=2).assign(late=lambda f: drawn(f["score"])))
    found = one(seen, "estimated_auc")
    assert found.status == "drifted"
    assert found.reason.endswith("lower")
    assert one(seen, "estimated_brier").status == "info"


def drawn(score):
    return (np.random.default_rng(1).random(len(score)) < score).astype(float)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        pytest.param({"known": rows()[:0]}, "no label is known of a row it did not learn from", id="no label is known"),
        pytest.param({"known": rows(n=20)}, "140 labelled rows, 500 are needed; estimated AUC", id="few labels"),
        pytest.param(
            {"earlier": earlier([0.2, 0.2, 0.2])}, "estimates were off by 0.200 on average", id="a bad record"
        ),
    ],
)
def test_an_estimate_that_cannot_be_trusted_is_unknown_and_says_why(given, reason):
    found = one(look(rows(), **given), "estimated_auc")
    assert found.status == "unknown"
    assert found.reason.startswith(reason)


def test_too_few_scored_rows_are_unknown_whatever_is_known():
    assert one(look(rows(n=20), known=rows()), "estimated_auc").reason.startswith("140 scored rows, 500 are needed")


def test_the_bounds_are_no_narrower_than_the_record():
    plain, widened, other = (
        one(look(rows(), earlier=past), "estimated_auc")
        for past in ([], earlier([0.045, -0.045, 0.045]), earlier([0.045, -0.045, 0.045], champion="0" * 64))
    )
    assert widened.high - widened.low > plain.high - plain.low
    assert widened.value - widened.low == pytest.approx(1.645 * 0.045, abs=0.001)
    assert (other.low, other.high) == (plain.low, plain.high), "the record of another champion does not count"


def test_an_estimate_is_held_against_what_came_true_of_the_same_partitions():
    frame = rows()
    scored = Measurement(DAYS[-1], "scored", CHAMPION, 1050, 1050, "info")
    said = Measurement(DAYS[-1], "estimated_auc", "all", 0.9, 1050, "ok")
    seen = look(frame, earlier=[*earlier([0.01]), scored, said])
    found, realised = one(seen, "estimate_error"), one(seen, "auc").value
    assert (found.value, found.n, found.partition) == (pytest.approx(0.9 - realised), 1050, DAY)
    assert found.reason == f"at {DAYS[-1]} it was estimated 0.900, and came out {realised:.3f}"
    mean = one(seen, "estimate_mae")
    assert (mean.n, mean.value) == (2, pytest.approx((0.01 + 0.9 - realised) / 2))


def test_without_an_estimate_made_then_there_is_no_error_and_it_is_not_nought():
    found = one(look(rows()), "estimate_error")
    assert (found.status, math.isnan(found.value)) == ("unknown", True)
    assert found.reason == f"no estimate of these partitions was made at {DAYS[-1]}"


@pytest.mark.parametrize(
    ("metric", "value", "reach", "status"),
    [
        pytest.param("auc", 0.78, 0.01, "ok", id="near"),
        pytest.param("auc", 0.70, 0.20, "unknown", id="low, but chance explains it"),
        pytest.param("auc", 0.70, 0.01, "drifted", id="low"),
        pytest.param("rmse", 0.83, 0.01, "ok", id="a share above"),
        pytest.param("rmse", 0.90, 0.01, "drifted", id="far above"),
        pytest.param("rmse", math.nan, 0.01, "unknown", id="undefined"),
    ],
)
def test_a_metric_is_judged_against_the_holdout_and_against_chance(metric, value, reach, status):
    now = Interval(value, value - reach, value + reach)
    assert Watched(metric, now, Interval(0.8, math.nan, math.nan), 0.05).judge("9 rows")[0] == status


@pytest.mark.parametrize(
    ("metric", "value", "status", "limit"),
    [
        pytest.param("auc", 0.74, "ok", 0.73, id="the holdout may have been lucky"),
        pytest.param("auc", 0.72, "drifted", 0.73, id="below what it surely showed"),
        pytest.param("rmse", 0.85, "ok", 0.86, id="a number above the holdout's"),
        pytest.param("rmse", 0.87, "drifted", 0.86, id="a number above the upper bound"),
    ],
)
def test_worse_is_worse_than_the_holdout_surely_showed(metric, value, status, limit):
    now, holdout = Interval(value, value - 0.01, value + 0.01), Interval(0.8, 0.78, 0.82)
    watched = Watched(metric, now, holdout, 0.05)
    said, reason = watched.judge("9 rows")
    assert (said, watched.limit) == (status, pytest.approx(limit))
    assert f"holdout 0.800 ({'at least 0.780' if metric == 'auc' else 'at most 0.820'})" in reason

"""A paired comparison is oriented, repeatable, and as unsure as the partitions make it."""

import numpy as np
import pytest

from updraft.evidence.interval import Interval, interval
from updraft.evidence.metrics import METRICS, of_kind
from updraft.evidence.paired import compare
from updraft.evidence.sampling import block_codes, critical, standard_error

NAMES = sorted(of_kind("binary"))


def scores(days=14, rows=60, *, day_noise=0.0, seed=0):
    """Outcomes, a good and a poor model, and the day of each row."""
    rng = np.random.default_rng(seed)
    day = np.repeat(np.arange(days), rows)
    signal = rng.normal(0, 1.5, days * rows)
    y = (rng.random(days * rows) < 1 / (1 + np.exp(1 - signal))).astype(float)

    def model(noise):
        off = rng.normal(0, noise, len(day)) + rng.normal(0, day_noise, days)[day]
        return 1 / (1 + np.exp(1 - signal - off))

    return y, model(0.1), model(2.0), np.array([f"2013-01-{d + 1:02}" for d in day])


def difference(y, a, b, blocks, name="auc", confidence=0.95):
    return compare(y, a, b, blocks, metric=METRICS[name], confidence=confidence, seed=1)


@pytest.mark.parametrize("name", NAMES)
def test_a_positive_difference_means_that_the_candidate_is_better(name):
    y, good, poor, days = scores()
    found = difference(y, good, poor, days, name)
    assert found.low > 0
    assert found.low < found.difference < found.high
    assert abs(found.difference) == pytest.approx(abs(METRICS[name](y, good) - METRICS[name](y, poor)))


@pytest.mark.parametrize("name", NAMES)
def test_changing_places_changes_the_sign_and_nothing_else(name):
    y, good, poor, days = scores()
    one, other = difference(y, good, poor, days, name), difference(y, poor, good, days, name)
    assert one.difference == pytest.approx(-other.difference)
    assert (one.low, one.high) == pytest.approx((-other.high, -other.low))


@pytest.mark.parametrize("name", NAMES)
def test_a_model_against_itself_differs_by_nothing_at_all(name):
    y, good, _, days = scores()
    found = difference(y, good, good, days, name)
    assert (found.difference, found.low, found.high) == (0, 0, 0)


def test_the_same_seed_gives_the_same_bounds():
    rows = scores()
    assert difference(*rows) == difference(*rows)


def test_the_comparison_counts_rows_positives_and_partitions():
    y, good, poor, days = scores(days=3, rows=10)
    found = difference(y, good, poor, days)
    assert (found.metric, found.n, found.positives, found.blocks) == ("auc", 30, int(y.sum()), 3)


def test_more_confidence_means_wider_bounds():
    rows = scores()
    assert difference(*rows, confidence=0.99).low < difference(*rows, confidence=0.8).low


def test_days_with_a_mood_of_their_own_widen_the_bounds_beyond_what_rows_say():
    y, a, b, days = scores(rows=400, day_noise=1.0)
    formula = METRICS["brier"].row_error(y, a, b)
    assert difference(y, a, b, days, "brier").standard_error > 1.5 * formula


def test_the_bounds_are_never_narrower_than_independent_rows_would_give():
    for seed in range(10):
        y, a, b, days = scores(seed=seed, rows=30)
        found = difference(y, a, b, days)
        assert found.difference - found.low >= METRICS["auc"].row_error(y, a, b) * critical(0.95, 1) * (1 - 1e-9)


def test_on_independent_rows_partitions_and_the_formula_agree():
    y, a, b, days = scores(days=200, rows=20)
    codes = block_codes(days)
    for name in ("auc", "brier", "log_loss"):
        metric = METRICS[name]
        both = standard_error(metric, y, a, codes, reference=b, confidence=0.95, seed=1)
        assert both == pytest.approx(metric.row_error(y, a, b), rel=0.2)


def test_the_delong_bound_stands_in_when_there_is_one_partition():
    y, a, b, _ = scores()
    found = difference(y, a, b, np.full(len(y), "2013-01-01"))
    assert found.standard_error == METRICS["auc"].row_error(y, a, b)
    assert "single partition" in found.method


def test_one_partition_gives_no_bounds_where_no_formula_is_known():
    y, a, b, _ = scores()
    found = difference(y, a, b, np.zeros(len(y)), "average_precision")
    assert np.isfinite(found.difference)
    assert np.isnan([found.low, found.high]).all()
    assert "too few partitions" in found.method


def test_a_class_that_lives_in_one_partition_gives_no_bounds():
    y = np.repeat([1.0, 0.0, 0.0], 10)
    p, q = np.random.default_rng(0).random((2, 30))
    assert np.isnan(difference(y, p, q, np.repeat(["a", "b", "c"], 10)).low)


@pytest.mark.parametrize(
    ("y", "says"),
    [pytest.param([], "no rows", id="empty"), pytest.param([1.0, 1.0], "no outcome is 0", id="one class")],
)
def test_an_undefined_comparison_is_nan_and_says_why(y, says):
    y = np.array(y)
    found = difference(y, y, y, y)
    assert np.isnan([found.difference, found.low, found.high]).all()
    assert says in found.method


@pytest.mark.parametrize("name", NAMES)
def test_an_interval_holds_its_value_and_stays_in_range(name):
    y, good, _, days = scores(days=4, rows=15)
    found = interval(METRICS[name], y, good, days, confidence=0.95, seed=1)
    low, high = METRICS[name].bounds
    assert low <= found.low < found.value < found.high <= high
    assert Interval.from_json(found.to_json()) == found


def test_an_interval_that_cannot_be_given_says_why():
    assert (
        "no outcome is 0" in interval(METRICS["auc"], np.ones(3), np.ones(3), np.arange(3), confidence=0.95, seed=1).why
    )
    y, good, _, _ = scores()
    alone = interval(METRICS["average_precision"], y, good, np.zeros(len(y)), confidence=0.95, seed=1)
    assert np.isfinite(alone.value)
    assert alone.to_json()["low"] is None
    assert "too few partitions" in alone.why
    assert Interval.from_json(alone.to_json()).to_json() == alone.to_json()


def test_nine_in_ten_intervals_hold_the_truth_when_each_bound_has_95_percent():
    # 0.25 is the Brier score of a constant half whatever comes; noise around it adds its own variance, 1 / 1200.
    held = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        y, p = (rng.random(400) < 0.5).astype(float), 0.5 + rng.uniform(-0.05, 0.05, 400)
        found = interval(METRICS["brier"], y, p, np.arange(400) // 40, confidence=0.95, seed=1)
        held += found.low <= 0.25 + 0.1**2 / 12 <= found.high
    assert 0.86 <= held / 200 <= 0.98

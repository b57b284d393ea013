"""Metrics agree with scikit-learn, say when they are undefined, and can be recomputed for any mix of partitions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

from updraft.evidence.metrics import METRICS, of_kind
from updraft.evidence.metrics.auc import clustered, delong, placements
from updraft.evidence.sampling import standard_error
from updraft.evidence.worth import expected_value
from updraft.spec.prediction import Value

ORACLES = {
    "auc": roc_auc_score,
    "average_precision": average_precision_score,
    "brier": brier_score_loss,
    "log_loss": log_loss,
}

BINARY = of_kind("binary")


def floats(*numbers):
    return np.array(numbers, dtype=np.float64)


@st.composite
def scored(draw):
    """Outcomes of both kinds, probabilities with ties, and block numbers without gaps."""
    rows = draw(
        st.lists(st.tuples(st.booleans(), st.integers(0, 8), st.integers(0, 3)), min_size=2, max_size=30).filter(
            lambda found: len({y for y, _, _ in found}) == 2
        )
    )
    y, p, block = zip(*rows, strict=True)
    return np.array(y, float), np.array(p) / 8, np.unique(block, return_inverse=True)[1]


@pytest.mark.parametrize("name", sorted(ORACLES))
@settings(max_examples=50, derandomize=True, deadline=None)
@given(rows=scored())
def test_a_metric_agrees_with_scikit_learn(name, rows):
    y, p, _ = rows
    assert METRICS[name](y, p) == pytest.approx(ORACLES[name](y, p), abs=1e-12)


@pytest.mark.parametrize("name", sorted(BINARY))
@settings(max_examples=50, derandomize=True, deadline=None)
@given(rows=scored())
def test_every_block_taken_once_gives_the_metric_itself(name, rows):
    y, p, codes = rows
    once = np.ones((1, codes.max() + 1))
    assert METRICS[name].reweight(y, p, codes)(once)[0] == pytest.approx(METRICS[name](y, p), abs=1e-12)


# Bins of the calibration error stay where all rows put them, so there the law holds only for every block taken once.
@pytest.mark.parametrize("name", sorted(set(BINARY) - {"calibration_error"}))
@settings(max_examples=50, derandomize=True, deadline=None)
@given(rows=scored(), times=st.lists(st.integers(0, 3), min_size=4, max_size=4))
def test_a_reweighted_metric_is_that_of_the_repeated_rows(name, rows, times):
    y, p, codes = rows
    counts = np.array(times[: codes.max() + 1])
    repeated = np.repeat(np.arange(len(y)), counts[codes])
    expected = METRICS[name](y[repeated], p[repeated])
    if np.isfinite(expected):
        assert METRICS[name].reweight(y, p, codes)(counts[None, :].astype(float))[0] == pytest.approx(expected)


@pytest.mark.parametrize("name", sorted(BINARY))
@settings(max_examples=30, derandomize=True, deadline=None)
@given(rows=scored(), seed=st.integers(0, 99))
def test_the_order_of_the_rows_does_not_matter(name, rows, seed):
    y, p, _ = rows
    shuffled = np.random.default_rng(seed).permutation(len(y))
    assert METRICS[name](y[shuffled], p[shuffled]) == pytest.approx(METRICS[name](y, p), abs=1e-12)


@pytest.mark.parametrize(
    ("y", "p", "expected"),
    [
        pytest.param([0, 1], [0.5, 0.5], 0.0, id="a constant that is right on average"),
        pytest.param([0, 0, 0, 1], [0.5] * 4, 0.25, id="a constant is one bin"),
        pytest.param([0, 1], [0.0, 1.0], 0.0, id="certain and right"),
        pytest.param([1, 0], [0.0, 1.0], 1.0, id="certain and wrong"),
        pytest.param([1, 0, 1, 1], [0.2, 0.2, 0.9, 0.9], 0.2, id="two bins, 0.3 and 0.1 off"),
    ],
)
def test_the_calibration_error_is_the_mean_distance_of_the_bins(y, p, expected):
    assert METRICS["calibration_error"](floats(*y), floats(*p)) == pytest.approx(expected)


def test_the_bins_of_the_calibration_error_hold_equal_numbers_of_rows():
    from updraft.evidence.metrics.calibration_error import _bins

    skewed = np.linspace(0, 1, 1000) ** 5
    assert np.bincount(_bins(skewed)).tolist() == [100] * 10


@pytest.mark.parametrize(
    ("name", "y", "p", "says"),
    [
        ("auc", [], [], "there are no rows"),
        ("brier", [], [], "there are no rows"),
        ("auc", [1, 1], [0.1, 0.2], "no outcome is 0"),
        ("auc", [0, 0], [0.1, 0.2], "no outcome is 1"),
        ("average_precision", [0, 0], [0.1, 0.2], "no outcome is 1"),
        ("log_loss", [0, 1], [0.1, np.nan], "1 of 2 predictions are not numbers"),
    ],
)
def test_an_undefined_metric_is_nan_and_says_why(name, y, p, says):
    metric = METRICS[name]
    assert np.isnan(metric(floats(*y), floats(*p)))
    assert says in metric.undefined(floats(*y), floats(*p))


def test_losses_are_defined_on_one_class():
    measured = {name: metric(floats(1, 1), floats(0.5, 1.0)) for name, metric in of_kind("binary").items()}
    assert measured["brier"] == 0.125
    assert measured["log_loss"] == pytest.approx(np.log(2) / 2)
    assert np.isnan(measured["auc"])


def test_one_row_that_was_certain_and_wrong_keeps_the_log_loss_finite():
    assert np.isfinite(METRICS["log_loss"](floats(1, 0), floats(0.0, 1.0)))


def test_the_expected_value_follows_from_the_value_matrix():
    metric = expected_value(Value(true_positive=3, false_positive=-1, false_negative=-2, true_negative=0.5))
    # Threshold 1.5 / 6.5 = 0.23: acted on the first two (hit, false alarm), not on the last two (missed, rightly left).
    assert metric(floats(1, 0, 1, 0), floats(0.9, 0.3, 0.2, 0.1)) == pytest.approx((3 - 1 - 2 + 0.5) / 4)
    assert metric.bounds == (-2, 3)


def slow_delong(y, a, b):
    """DeLong's variance by its definition, over all pairs of rows."""

    def components(p):
        beats = (p[y == 1][:, None] > p[y == 0]) + 0.5 * (p[y == 1][:, None] == p[y == 0])
        return beats.mean(axis=1), beats.mean(axis=0)

    (pos_a, neg_a), (pos_b, neg_b) = components(a), components(b)
    of_positives, of_negatives = np.cov(pos_a, pos_b), np.cov(neg_a, neg_b)
    covariance = of_positives / len(pos_a) + of_negatives / len(neg_a)
    return np.sqrt(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]), np.sqrt(covariance[0, 0])


def test_the_fast_delong_error_is_the_one_of_the_definition():
    rng = np.random.default_rng(3)
    y = (rng.random(80) < 0.3).astype(float)
    a, b = np.round(rng.random(80), 1), np.round(rng.random(80) / 2 + y / 3, 1)
    paired, single = slow_delong(y, a, b)
    assert delong(y, a, b) == pytest.approx(paired)
    assert delong(y, a) == pytest.approx(single)


def test_the_delong_error_is_unknown_with_a_single_positive():
    assert np.isnan(delong(floats(1, 0, 0), floats(0.3, 0.1, 0.2)))


@pytest.mark.parametrize("name", [*BINARY])
def test_many_outcomes_of_the_same_rows_give_what_each_gives_alone(name: str) -> None:
    random = np.random.default_rng(3)
    p = random.integers(1, 9, 40) / 10
    outcomes = np.vstack([(random.random((5, 40)) < p).astype(float), np.zeros(40)])
    expected = [METRICS[name](y, p) for y in outcomes]
    assert METRICS[name].each(outcomes, p) == pytest.approx(expected, nan_ok=True)


def test_many_outcomes_of_no_rows_have_no_metric() -> None:
    assert np.isnan(METRICS["auc"].each(np.empty((2, 0)), np.empty(0))).all()


def test_an_auc_whose_blocks_share_their_luck_is_less_sure_by_formula_as_by_resampling() -> None:
    random, codes = np.random.default_rng(1), np.repeat(np.arange(30), 40)
    y = (random.random(1200) < 0.4).astype(float)
    alone = 0.7 * y + random.normal(size=1200)
    shared = alone + 0.5 * random.normal(size=30)[codes] * y
    by_blocks = standard_error(METRICS["auc"], y, shared, codes, confidence=0.95, seed=1)
    assert clustered(y, placements(y, alone), codes) == pytest.approx(delong(y, alone), rel=0.3)
    assert clustered(y, placements(y, shared), codes) == pytest.approx(by_blocks, rel=0.1)
    assert clustered(y, placements(y, shared), codes) > 1.3 * delong(y, shared)


def test_an_auc_of_a_class_in_one_block_has_no_error_by_blocks() -> None:
    y = floats(1, 1, 0, 0)
    assert np.isnan(clustered(y, placements(y, floats(0.1, 0.4, 0.2, 0.3)), np.array([0, 0, 0, 1])))

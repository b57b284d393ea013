import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from updraft.model import calibration
from updraft.model.calibration import Calibration


def sample(slope, intercept, rows=20_000):
    draw = np.random.default_rng(3)
    scores = draw.normal(size=rows)
    truth = draw.random(rows) < 1 / (1 + np.exp(-(slope * scores + intercept)))
    return scores, truth.astype(float)


@pytest.mark.parametrize(("slope", "intercept"), [(1.0, 0.0), (0.5, -1.0), (3.0, 2.0)])
def test_the_line_behind_the_labels_is_found_again(slope, intercept):
    found = calibration.fit(*sample(slope, intercept))
    assert found.calibration.slope == pytest.approx(slope, rel=0.1)
    assert found.calibration.intercept == pytest.approx(intercept, abs=0.1)
    assert found.notes == ()


def test_the_mean_probability_is_the_rate_up_to_the_smoothing():
    scores, labels = sample(0.5, -1.0)
    probabilities = calibration.fit(scores, labels).calibration.probability(scores)
    assert probabilities.mean() == pytest.approx(labels.mean(), abs=1e-4)


@pytest.mark.parametrize(
    ("scores", "labels", "said"),
    [
        pytest.param([1.0, 2.0, 3.0, 4.0], [1.0, 1.0, 0.0, 0.0], "not positive", id="upside down"),
        pytest.param([1.0, 1.0, 1.0, 1.0], [1.0, 0.0, 0.0, 0.0], "the same score", id="constant"),
    ],
)
def test_an_order_that_would_turn_round_is_left_alone_and_said(scores, labels, said):
    found = calibration.fit(np.array(scores), np.array(labels))
    assert found.calibration == Calibration()
    assert said in found.notes[0]


def test_scores_that_separate_the_classes_still_give_a_finite_line():
    found = calibration.fit(np.array([-2.0, -1.0, 1.0, 2.0]), np.array([0.0, 0.0, 1.0, 1.0])).calibration
    assert 0 < found.slope < 100


@given(st.floats(1e-3, 1e3), st.floats(-50, 50), st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=20))
@settings(max_examples=50, derandomize=True, deadline=None)
def test_a_probability_is_between_0_and_1_and_never_changes_the_order(slope, intercept, scores):
    ordered = np.sort(scores)
    found = Calibration(slope, intercept).probability(ordered)
    assert ((found >= 0) & (found <= 1)).all()
    assert (np.diff(found) >= 0).all()


@pytest.mark.parametrize(("slope", "intercept"), [(0.0, 0.0), (-1.0, 0.0), (np.nan, 0.0), (np.inf, 0.0), (1.0, np.nan)])
def test_a_slope_that_is_not_positive_is_refused(slope, intercept):
    with pytest.raises(ValueError, match="positive slope"):
        Calibration(slope, intercept)


def test_what_is_written_reads_back_equal():
    assert Calibration.parse(Calibration(0.3, -0.1).dump()) == Calibration(0.3, -0.1)


# ---- curves ------------------------------------------------------------------------------------------------------

CURVE = Calibration(curve=((-2.0, -1.0), (0.0, -0.5), (1.0, 2.0)))


def test_a_curve_is_straight_between_its_knots_and_level_beyond():
    raw = np.array([-9.0, -2.0, -1.0, 0.5, 1.0, 9.0])
    assert CURVE.log_odds(raw).tolist() == [-1.0, -1.0, -0.75, 0.75, 2.0, 2.0]
    assert Calibration.parse(CURVE.dump()) == CURVE
    assert b"curve" not in Calibration(2.0, 1.0).dump()


@pytest.mark.parametrize("curve", [((0.0, 0.0), (0.0, 1.0)), ((0.0, 1.0), (1.0, 0.0)), ((0.0, np.nan),)])
def test_a_curve_that_falls_or_is_not_finite_is_refused(curve):
    with pytest.raises(ValueError, match="finite knots that rise"):
        Calibration(curve=curve)


@pytest.mark.parametrize("calibration", [Calibration(0.5, -1.0), CURVE], ids=["line", "curve"])
def test_contributions_still_add_up_to_the_calibrated_log_odds(calibration):
    raw = np.array([[0.5, -0.2, -1.0], [3.0, 1.0, -1.0], [0.0, 0.0, 0.3], [-5.0, 5.0, 0.1]])
    before = raw.copy()
    shares = calibration.shares(raw)
    assert shares.sum(axis=1) == pytest.approx(calibration.log_odds(raw.sum(axis=1)))
    assert (np.sign(shares[:2, :-1]) == np.sign(raw[:2, :-1])).all()
    assert raw.tolist() == before.tolist()


@given(st.lists(st.tuples(st.floats(-30, 30), st.booleans()), min_size=1, max_size=60))
@settings(max_examples=100, derandomize=True, deadline=None)
def test_an_isotonic_curve_never_falls_and_is_never_certain(sample):
    scores, labels = (np.array(column, dtype=float) for column in zip(*sample, strict=True))
    found = calibration.isotonic(scores, labels).calibration
    line = found.probability(np.linspace(-40, 40, 500)) if found.curve else np.array([0.5])
    assert (np.diff(line) >= 0).all()
    assert 0 < line.min() <= line.max() < 1
    assert Calibration.parse(found.dump()) == found


def test_an_isotonic_curve_follows_a_truth_that_no_line_follows():
    draw = np.random.default_rng(1)
    z = draw.normal(0, 2, 20_000)
    truth = np.where(z < 0, 0.1, 0.7)
    found = calibration.isotonic(z, (draw.random(20_000) < truth).astype(float)).calibration
    assert found.probability(np.array([-2.0, -0.5, 0.5, 2.0])) == pytest.approx([0.1, 0.1, 0.7, 0.7], abs=0.06)

import numpy as np
import pytest

from updraft.model.as_is import AsIs
from updraft.model.calibration import fit as platt
from updraft.model.softmax import Softmax, fit, log_softmax


def drawn(rows=4000, slope=0.5, shift=(0.0, -1.0, 1.0), seed=3):
    """Scores twice as sure as they should be and off by a constant per class, and classes drawn from the truth."""
    draw = np.random.default_rng(seed)
    scores = draw.normal(0, 3, (rows, 3))
    truth = Softmax(slope, shift).probability(scores)
    return scores, (truth.cumsum(axis=1) < draw.random((rows, 1))).sum(axis=1).astype(float)


def test_probabilities_add_up_whatever_the_scores():
    p = Softmax(2.0, (0.0, 1.0, -1.0)).probability(np.array([[0.0, 0.0, 0.0], [1e300, -1e300, 0.0]]))
    assert p.sum(axis=1) == pytest.approx([1.0, 1.0])
    assert Softmax(1.0, (0.0, 0.0)).probability(np.empty((0, 2))).shape == (0, 2)


def test_the_fit_finds_temperature_and_shifts():
    found = fit(*drawn())
    assert found.notes == ()
    assert found.calibration.slope == pytest.approx(0.5, rel=0.1)
    assert found.calibration.intercepts == pytest.approx((0.0, -1.0, 1.0), abs=0.15)


def test_with_two_classes_it_is_platt_scaling():
    draw = np.random.default_rng(1)
    odds = draw.normal(0, 2, 500)
    labels = (draw.random(500) < 1 / (1 + np.exp(1 - odds))).astype(float)
    two = fit(np.column_stack([np.zeros(500), odds]), labels).calibration
    one = platt(odds, labels).calibration
    assert two.slope == pytest.approx(one.slope, rel=1e-4)
    assert two.intercepts[1] - two.intercepts[0] == pytest.approx(one.intercept, abs=1e-4)


def test_scores_that_separate_the_classes_do_not_run_away():
    labels = np.repeat([0.0, 1.0, 2.0], 10)
    found = fit(10 * np.eye(3)[labels.astype(int)], labels).calibration
    assert found.probability(np.array([[10.0, 0.0, 0.0]]))[0, 0] == pytest.approx(11 / 13, abs=1e-3), "as Platt smooths"


@pytest.mark.parametrize(
    ("scores", "labels", "why"),
    [
        pytest.param(np.ones((6, 3)), [0, 1, 2, 0, 1, 2], "every validation row has the same scores", id="constant"),
        pytest.param(-5 * np.eye(3)[[0, 1, 2] * 20], [0, 1, 2] * 20, "is not positive", id="the wrong way round"),
    ],
)
def test_what_cannot_be_fitted_stays_as_it_is_and_says_so(scores, labels, why):
    found = fit(scores, np.array(labels, float))
    assert found.calibration == Softmax(1.0, (0.0, 0.0, 0.0))
    assert why in found.notes[0]


def test_shares_add_up_to_the_likeliest_class_against_the_others():
    draw = np.random.default_rng(2)
    shares = draw.normal(size=(20, 3, 5))
    calibration = Softmax(0.7, (0.1, -0.3, 0.2))
    logs = log_softmax(0.7 * shares.sum(axis=2) + np.array([0.1, -0.3, 0.2]))
    assert calibration.shares(shares).sum(axis=1) == pytest.approx(logs.max(axis=1) - logs.mean(axis=1))


@pytest.mark.parametrize(("slope", "intercepts"), [(0.0, (0.0,)), (-1.0, (0.0,)), (np.inf, (0.0,)), (1.0, (np.nan,))])
def test_a_calibration_that_is_none_is_refused(slope, intercepts):
    with pytest.raises(ValueError, match="positive slope"):
        Softmax(slope, intercepts)


def test_scores_of_other_classes_are_refused():
    with pytest.raises(ValueError, match="for 2 classes"):
        Softmax(1.0, (0.0, 0.0)).probability(np.zeros((4, 3)))


def test_what_is_written_reads_back_equal():
    assert Softmax.parse(Softmax(0.5, (0.1, -0.1)).dump()) == Softmax(0.5, (0.1, -0.1))


def test_a_number_stays_as_it_is():
    assert AsIs().probability(np.array([3.0, -1.0])).tolist() == [3.0, -1.0]
    assert AsIs.parse(AsIs().dump()) == AsIs()
    with pytest.raises(ValueError, match="one number per row"):
        AsIs().probability(np.zeros((2, 3)))
    with pytest.raises(ValueError, match="no calibration"):
        AsIs.parse(b'{"slope":2}')

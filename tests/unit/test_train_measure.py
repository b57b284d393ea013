import numpy as np
import pytest

from updraft.train.measure import measure

LABELS = np.array([0.0, 0.0, 1.0, 1.0])


@pytest.mark.parametrize(
    ("probabilities", "auc", "brier", "log_loss"),
    [
        pytest.param([0.5] * 4, 0.5, 0.25, np.log(2), id="a coin"),
        pytest.param([0.1, 0.4, 0.35, 0.8], 0.75, 0.158125, 0.47229, id="the textbook"),
        pytest.param([0.0, 0.0, 1.0, 1.0], 1.0, 0.0, 0.0, id="perfect and certain"),
    ],
)
def test_the_numbers_are_the_known_ones(probabilities, auc, brier, log_loss):
    found = measure(LABELS, np.array(probabilities))
    expected = {"auc": auc, "brier": brier, "log_loss": log_loss, "rows": 4.0, "positives": 2.0}
    assert found == pytest.approx(expected, abs=1e-4)


def test_being_certain_and_wrong_is_dear_but_finite():
    assert np.isfinite(measure(LABELS, np.array([1.0, 0.0, 0.0, 1.0]))["log_loss"])

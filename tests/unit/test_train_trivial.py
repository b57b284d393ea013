import numpy as np
import pytest

from updraft.train import trivial


@pytest.mark.parametrize(("labels", "rate"), [([0.0, 1.0], 0.5), ([0.0, 0.0, 0.0, 1.0], 0.25)])
def test_everybody_gets_the_base_rate(labels, rate):
    fitted = trivial.fit(np.array(labels))
    assert 1 / (1 + np.exp(-fitted.learner.log_odds(np.zeros((1, 2)))[0])) == pytest.approx(rate)
    assert fitted.parameters == {"base_rate": rate}

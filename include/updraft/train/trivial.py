"""The trivial model: the base rate of the training rows."""

import numpy as np
from numpy.typing import NDArray

from updraft.model.constant import Constant
from updraft.train.fitted import Fitted


def fit(labels: NDArray[np.float64]) -> Fitted:
    """Take the log-odds of the base rate.

    :param labels: 0.0 or 1.0, at least one of each.
    """
    rate = float(labels.mean())
    return Fitted(Constant(float(np.log(rate / (1 - rate)))), {"base_rate": rate})

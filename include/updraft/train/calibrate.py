"""Calibrate what a learner gives, as its kind of label asks for."""

import numpy as np
from numpy.typing import NDArray

from updraft.model import calibration, softmax
from updraft.model.as_is import AsIs
from updraft.model.model import Calibrated


def calibrate(
    kind: str, raw: NDArray[np.float64], labels: NDArray[np.float64], weights: NDArray[np.float64] | None = None
) -> tuple[Calibrated, tuple[str, ...]]:
    """Fit a calibration on rows the learner has not seen; say in notes why it is the identity when it is.

    :param raw: What the learner gave: (n,), or (n, k) with several classes.
    :param weights: How much each row counts (n,); all the same when None.
    """
    if kind == "regression":
        return AsIs(), ()
    if kind == "multiclass":
        several = softmax.fit(raw, labels, weights)
        return several.calibration, several.notes
    found = calibration.fit(raw, labels, weights)
    return found.calibration, found.notes

"""Mean absolute error, in the units of the label."""

import numpy as np

from updraft.evidence.metric import Array, mean


def _errors(y: Array, p: Array) -> Array:
    return np.abs(p - y)


METRIC = mean("mae", _errors, higher_is_better=False, bounds=(0.0, float("inf")), kinds=("regression",))

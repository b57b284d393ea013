"""What a decision is worth: the mean value per row of acting from the threshold on."""

import numpy as np

from updraft.evidence.metric import Array, Metric, mean
from updraft.spec.model import Value


def expected_value(value: Value) -> Metric:
    """Make the metric of a value matrix, in its unit per row; a row is acted on from `value.threshold` on."""

    def each(y: Array, p: Array) -> Array:
        acted = np.where(y == 1, value.true_positive, value.false_positive)
        left = np.where(y == 1, value.false_negative, value.true_negative)
        return np.where(p >= value.threshold, acted, left)

    cells = (value.true_positive, value.false_positive, value.false_negative, value.true_negative)
    return mean("value", each, higher_is_better=True, bounds=(min(cells), max(cells)))

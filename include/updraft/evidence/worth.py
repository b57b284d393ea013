"""What a decision is worth: the mean value per row of acting from the threshold on, or the cost of a wrong number."""

import numpy as np

from updraft.evidence.metric import Array, Loss, Metric, mean
from updraft.model import labels
from updraft.spec.model import UseCase
from updraft.spec.prediction import Cost, Value


def worth(case: UseCase) -> Metric:
    """Make the metric of what the use case's decisions are worth, per row; it is called `value`."""
    problem = case.problem
    if problem.cost is not None:
        return negative_cost(problem.cost)
    if problem.value is None:
        raise ValueError("a problem that is checked says `value` or `cost`")
    return _several(case, problem.value) if problem.kind == "multiclass" else expected_value(problem.value)


def expected_value(value: Value) -> Metric:
    """Make the metric of a value matrix, in its unit per row; a row is acted on from `value.threshold` on."""
    return mean("value", _each(value), higher_is_better=True, bounds=_cells(value))


def negative_cost(cost: Cost) -> Metric:
    """Make the metric of what wrong numbers cost, as a negative value in its unit per row.

    It is, but for a factor, the pinball loss at the quantile under / (under + over) (Koenker and Bassett 1978).
    """

    def each(y: Array, p: Array) -> Array:
        return -(cost.over * np.maximum(p - y, 0.0) + cost.under * np.maximum(y - p, 0.0))

    return mean("value", each, higher_is_better=True, bounds=(float("-inf"), 0.0), kinds=("regression",))


def _several(case: UseCase, value: Value) -> Metric:
    """The value matrix of several classes: what comes true is that one of the classes that are acted on does."""
    on, matrix = labels.acted_on(case), _each(value)

    def each(y: Array, p: Array) -> Array:
        return matrix(labels.came_true(case, y).astype(float), p[:, on].sum(axis=1))

    return mean("value", each, higher_is_better=True, bounds=_cells(value), kinds=("multiclass",))


def _each(value: Value) -> Loss:
    def each(y: Array, p: Array) -> Array:
        acted = np.where(y == 1, value.true_positive, value.false_positive)
        left = np.where(y == 1, value.false_negative, value.true_negative)
        return np.where(p >= value.threshold, acted, left)

    return each


def _cells(value: Value) -> tuple[float, float]:
    cells = (value.true_positive, value.false_positive, value.false_negative, value.true_negative)
    return min(cells), max(cells)

"""Root mean squared error, in the units of the label."""

import numpy as np

from updraft.evidence.metric import Array, Codes, Metric, Reweighted, spread


def _squares(y: Array, p: Array) -> Array:
    return np.asarray((p - y) ** 2)


def _rmse(y: Array, p: Array) -> float:
    return float(np.sqrt(_squares(y, p).mean()))


def _reweight(y: Array, p: Array, codes: Codes) -> Reweighted:
    sums, rows = np.bincount(codes, _squares(y, p)), np.bincount(codes)
    return lambda counts: np.asarray(np.sqrt((counts @ sums) / (counts @ rows)))


def _row_error(y: Array, p: Array, reference: Array | None) -> float:
    """Return the standard error by the delta method: the root's slope times the spread of the squares."""
    return spread(_influence(y, p) - (0.0 if reference is None else _influence(y, reference)))


def _influence(y: Array, p: Array) -> Array:
    root = _rmse(y, p)
    return _squares(y, p) / (2 * root) if root > 0 else np.zeros(len(y))


METRIC = Metric(
    "rmse",
    _rmse,
    higher_is_better=False,
    reweight=_reweight,
    row_error=_row_error,
    per_row=_squares,
    bounds=(0.0, float("inf")),
    kinds=("regression",),
)

"""R squared: the share of the label's variance that the prediction explains; below 0 it is worse than the mean."""

import numpy as np

from updraft.evidence.metric import Array, Codes, Metric, Reweighted, spread


def _r2(y: Array, p: Array) -> float:
    return float(1 - ((p - y) ** 2).mean() / y.var())


def _reweight(y: Array, p: Array, codes: Codes) -> Reweighted:
    from_mean = y - y.mean()  # or the squares of large numbers would swallow their differences
    rows = np.bincount(codes)
    wrong, first, second = (np.bincount(codes, each) for each in ((p - y) ** 2, from_mean, from_mean**2))

    def r2(counts: Array) -> Array:
        n = counts @ rows
        variance = (counts @ second) / n - ((counts @ first) / n) ** 2
        defined = variance > 1e-12 * y.var()
        explained = 1 - np.divide((counts @ wrong) / n, variance, out=np.full(len(n), np.nan), where=defined)
        return np.asarray(explained)

    return r2


def _row_error(y: Array, p: Array, reference: Array | None) -> float:
    """Return the standard error by the delta method for a ratio of two means."""
    return spread(_influence(y, p) - (0.0 if reference is None else _influence(y, reference)))


def _influence(y: Array, p: Array) -> Array:
    wrong, around = (p - y) ** 2, (y - y.mean()) ** 2
    return np.asarray(-wrong / around.mean() + around * wrong.mean() / around.mean() ** 2)


def _constant(y: Array, _p: Array) -> str:
    return "every outcome is the same number" if np.ptp(y) == 0 else ""


METRIC = Metric(
    "r2",
    _r2,
    higher_is_better=True,
    reweight=_reweight,
    row_error=_row_error,
    bounds=(float("-inf"), 1.0),
    kinds=("regression",),
    unless=_constant,
)

"""Macro AUC: the area under the ROC curve of each class against the rest, averaged over the classes.

Every class counts the same, however rare (scikit-learn's `multi_class="ovr", average="macro"`).
"""

import numpy as np

from updraft.evidence.metric import Array, Codes, Metric, Reweighted, every_class, spread
from updraft.evidence.metrics import auc


def _macro_auc(y: Array, p: Array) -> float:
    return float(np.mean([auc.METRIC.fn(*_against_the_rest(y, p, code)) for code in range(p.shape[1])]))


def _reweight(y: Array, p: Array, codes: Codes) -> Reweighted:
    each = [auc.METRIC.reweight(*_against_the_rest(y, p, code), codes) for code in range(p.shape[1])]
    return lambda counts: np.mean([one(counts) for one in each], axis=0)


def _row_error(y: Array, p: Array, reference: Array | None) -> float:
    """Return the spread of what each row adds to the mean: its placements in each class's ROC curve (DeLong 1988)."""
    return spread(_influence(y, p) - (0.0 if reference is None else _influence(y, reference)))


def _influence(y: Array, p: Array) -> Array:
    total = np.zeros(len(y))
    for code in range(p.shape[1]):
        of, score = _against_the_rest(y, p, code)
        placed = auc.placements(of, score)
        share = np.where(of == 1, of.mean(), 1 - of.mean())
        total += (placed - placed[of == 1].mean()) / share
    return total / p.shape[1]


def _against_the_rest(y: Array, p: Array, code: int) -> tuple[Array, Array]:
    return (y == code).astype(float), p[:, code]


METRIC = Metric(
    "macro_auc",
    _macro_auc,
    higher_is_better=True,
    reweight=_reweight,
    row_error=_row_error,
    kinds=("multiclass",),
    unless=every_class,
)

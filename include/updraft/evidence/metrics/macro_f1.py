"""Macro F1: the harmonic mean of precision and recall of the likeliest class, averaged over the classes."""

import numpy as np

from updraft.evidence.metric import Array, Codes, Metric, Reweighted, every_class


def _macro_f1(y: Array, p: Array) -> float:
    return float(_reweight(y, p, np.zeros(len(y), dtype=np.intp))(np.ones((1, 1)))[0])


def _reweight(y: Array, p: Array, codes: Codes) -> Reweighted:
    blocks, classes = int(codes.max()) + 1, p.shape[1]
    true, told = y.astype(np.intp), p.argmax(axis=1)

    def per_block(code: Codes, rows: Array) -> Array:
        return np.bincount(codes * classes + code, rows, blocks * classes).astype(float).reshape(blocks, classes)

    one = np.ones(len(y))
    right = per_block(true, (true == told).astype(float))
    either = per_block(true, one) + per_block(told, one)

    def macro_f1(counts: Array) -> Array:
        among = counts @ either
        each = np.divide(2 * counts @ right, among, out=np.full_like(among, np.nan), where=among > 0)
        return np.asarray(each.mean(axis=1))

    return macro_f1


METRIC = Metric(
    "macro_f1", _macro_f1, higher_is_better=True, reweight=_reweight, kinds=("multiclass",), unless=every_class
)

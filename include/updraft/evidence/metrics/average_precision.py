"""Average precision: the precision at each positive row, from the highest score down, averaged."""

import numpy as np

from updraft.evidence.metric import Array, Codes, Metric, Reweighted

_CELLS = 2_000_000


def _average_precision(y: Array, p: Array) -> float:
    from sklearn.metrics import average_precision_score

    return float(average_precision_score(y, p))


def _reweight(y: Array, p: Array, codes: Codes) -> Reweighted:
    order = np.argsort(-p, kind="stable")
    at, scores = codes[order], p[order]
    positive = np.flatnonzero(y[order] == 1)
    # Rows of one score are called together, or the result would depend on the order of the rows.
    first = np.flatnonzero(np.diff(scores[positive], prepend=np.inf))
    called_with = np.searchsorted(-scores, -scores[positive[first]], side="right") - 1

    def each(counts: Array) -> Array:
        found = np.add.reduceat(counts[:, at[positive]], first, axis=1)
        called = np.cumsum(counts[:, at], axis=1)[:, called_with]
        precision = np.divide(np.cumsum(found, axis=1), called, out=np.zeros_like(found), where=called > 0)
        every, won = found.sum(axis=1), (found * precision).sum(axis=1)
        return np.asarray(np.divide(won, every, out=np.full(len(won), np.nan), where=every > 0))

    def average_precision(counts: Array) -> Array:
        chunks = np.array_split(counts, len(counts) * len(y) // _CELLS + 1)
        return np.concatenate([each(chunk) for chunk in chunks if len(chunk)])

    return average_precision


METRIC = Metric(
    "average_precision", _average_precision, higher_is_better=True, reweight=_reweight, needs=(1.0,)
)  # fmt: skip

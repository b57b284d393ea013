"""Log loss: the mean surprise at the outcomes, in nats."""

import numpy as np

from updraft.evidence.metric import Array, mean

_LEAST = float(np.finfo(np.float64).eps)


def _surprise(y: Array, p: Array) -> Array:
    # One row that was certain and wrong would make the mean infinite; scikit-learn stops at the same distance from it.
    sure = np.clip(p, _LEAST, 1 - _LEAST)
    if p.ndim == 2:
        return np.asarray(-np.log(sure[np.arange(len(y)), y.astype(np.intp)]))
    return -(y * np.log(sure) + (1 - y) * np.log1p(-sure))


METRIC = mean("log_loss", _surprise, higher_is_better=False, bounds=(0.0, float("inf")), kinds=("binary", "multiclass"))

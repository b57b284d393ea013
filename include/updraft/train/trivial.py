"""The trivial baseline: the class rates, or the mean, of the training rows."""

import numpy as np
from numpy.typing import NDArray

from updraft.model.constant import Constant
from updraft.train.fitted import Fitted
from updraft.train.task import BINARY, Task


def fit(labels: NDArray[np.float64], task: Task = BINARY) -> Fitted:
    """Take the log-odds of the base rate, the log of each class's rate, or the mean; weights do not count.

    :param labels: 0.0 or 1.0, or positions of classes, at least one of each; or numbers.
    """
    if task.kind == "regression":
        return Fitted(Constant(float(labels.mean())), {"mean": float(labels.mean())})
    if task.kind == "multiclass":
        rates = np.bincount(labels.astype(np.int64), minlength=task.classes) / len(labels)
        return Fitted(Constant(tuple(np.log(rates).tolist())), {f"rate_{i}": float(r) for i, r in enumerate(rates)})
    rate = float(labels.mean())
    return Fitted(Constant(float(np.log(rate / (1 - rate)))), {"base_rate": rate})

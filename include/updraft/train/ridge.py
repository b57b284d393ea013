"""Ridge regression: scikit-learn's conjugate gradients on the sparse design, its coefficients sorted into terms."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from updraft.model.encoder import Encoder
from updraft.model.linear import Ridge
from updraft.train import monotone
from updraft.train.design import Design
from updraft.train.fitted import Fitted
from updraft.train.task import Task

PENALTY = {"alpha": 1.0}
STOP = {"tol": 1e-8}


def fit(encoder: Encoder, matrix: NDArray[np.float64], labels: NDArray[np.float64], task: Task) -> Fitted:
    """Fit standardised numbers, an indicator where a number is missing now and then, and a column per category code.

    :param matrix: Training rows as `encoder` gives them.
    :param labels: A number per row.
    """
    design = Design.of(encoder, matrix)
    found = monotone.fit(design, encoder, task, lambda columns: _solve(columns, labels, task))
    learner = Ridge(float(found.intercepts[0]), design.terms(found.weights[0]))
    return Fitted(learner, {**PENALTY, **STOP, **task.parameters()}, found.notes)


def _solve(columns: Any, labels: NDArray[np.float64], task: Task) -> monotone.Weights:
    from sklearn.linear_model import Ridge as Solver

    # The one solver of scikit-learn that fits an intercept on sparse columns and needs no random order of the rows.
    solver = Solver(**PENALTY, **STOP, solver="sparse_cg")
    solver.fit(columns, labels, sample_weight=task.weights)
    return monotone.Weights(np.atleast_2d(solver.coef_), np.atleast_1d(solver.intercept_))

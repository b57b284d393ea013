"""Logistic regression, of two classes or several: scikit-learn's solver, its coefficients sorted into terms."""

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from updraft.model.encoder import Encoder
from updraft.model.learner import Learner
from updraft.model.linear import Linear, Multinomial
from updraft.train import monotone
from updraft.train.design import Design
from updraft.train.fitted import Fitted
from updraft.train.task import BINARY, Task

STOP = {"max_iter": 500, "tol": 1e-4}


def fit(
    encoder: Encoder, matrix: NDArray[np.float64], labels: NDArray[np.float64], task: Task = BINARY, *, l2: float = 10.0
) -> Fitted:
    """Fit standardised numbers, an indicator where a number is missing now and then, and a column per category code.

    :param matrix: Training rows as `encoder` gives them.
    :param labels: 0.0 or 1.0 per row, or the position of its class.
    :param l2: Penalty on the squared weights.
    """
    design = Design.of(encoder, matrix)
    found = monotone.fit(design, encoder, task, lambda columns: _solve(columns, labels, task, l2))
    steps = found.steps
    parameters = {"l2": l2, **STOP, **task.parameters(), "iterations": steps}
    return Fitted(_learner(design, found), parameters, (*found.notes, *_notes(steps)))


def _learner(design: Design, found: monotone.Weights) -> Learner:
    each = [Linear(float(b), design.terms(w)) for b, w in zip(found.intercepts, found.weights, strict=True)]
    return each[0] if len(each) == 1 else Multinomial(tuple(each))


def _solve(columns: Any, labels: NDArray[np.float64], task: Task, l2: float) -> monotone.Weights:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    solver = LogisticRegression(C=1 / l2, **STOP)
    with warnings.catch_warnings():
        # Not silence: whoever needs all the steps gets a note in the manifest.
        warnings.simplefilter("ignore", ConvergenceWarning)
        solver.fit(columns, labels, sample_weight=task.weights)
    return monotone.Weights(solver.coef_, solver.intercept_, int(solver.n_iter_[0]))


def _notes(steps: int) -> tuple[str, ...]:
    if steps < STOP["max_iter"]:
        return ()
    return (f"logistic regression had not converged after {steps} steps: its weights are those of the last one",)

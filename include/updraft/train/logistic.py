"""Logistic regression: scikit-learn's solver on a sparse design, its coefficients sorted into one term per feature."""

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from updraft.model.encoder import Encoder
from updraft.model.linear import Category, Linear, Number, Scaling, Term
from updraft.train.fitted import Fitted

STOP = {"max_iter": 500, "tol": 1e-4}


def fit(encoder: Encoder, matrix: NDArray[np.float64], labels: NDArray[np.float64], *, l2: float = 10.0) -> Fitted:
    """Fit standardised numbers, an indicator where a number is missing now and then, and a column per category code.

    :param matrix: Training rows as `encoder` gives them.
    :param labels: 0.0 or 1.0 per row.
    :param l2: Penalty on the squared weights.
    """
    from scipy import sparse

    codes = encoder.categories
    scalings = [None if i in codes else Scaling.fit(column) for i, column in enumerate(matrix.T)]
    blocks = [
        _one_hot(column, codes[i]) if scaling is None else _number(column, scaling)
        for i, (column, scaling) in enumerate(zip(matrix.T, scalings, strict=True))
    ]
    # A sparse product runs in one thread, so the coefficients do not depend on the machine's cores.
    weights, intercept, steps = _solve(sparse.hstack(blocks, format="csr"), labels, l2)
    own = np.split(weights, np.cumsum([block.shape[1] for block in blocks])[:-1])
    terms = tuple(_term(*fitted) for fitted in zip(scalings, own, matrix.T, strict=True))
    return Fitted(Linear(intercept, terms), {"l2": l2, **STOP, "iterations": steps}, _notes(steps))


def _number(column: NDArray[np.float64], scaling: Scaling) -> Any:
    from scipy import sparse

    missing = np.isnan(column)
    parts = [scaling.apply(column)]
    if missing.any() and not missing.all():
        parts.append(missing.astype(np.float64))
    return sparse.csr_array(np.column_stack(parts))


def _one_hot(column: NDArray[np.float64], codes: int) -> Any:
    from scipy import sparse

    rows = np.arange(len(column))
    return sparse.csr_array((np.ones(len(column)), (rows, column.astype(np.int64))), shape=(len(column), codes))


def _solve(design: Any, labels: NDArray[np.float64], l2: float) -> tuple[NDArray[np.float64], float, int]:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    solver = LogisticRegression(C=1 / l2, **STOP)
    with warnings.catch_warnings():
        # Not silence: whoever needs all the steps gets a note in the manifest.
        warnings.simplefilter("ignore", ConvergenceWarning)
        solver.fit(design, labels)
    return solver.coef_[0], float(solver.intercept_[0]), int(solver.n_iter_[0])


def _term(scaling: Scaling | None, weights: NDArray[np.float64], column: NDArray[np.float64]) -> Term:
    if scaling is None:
        category = Category(tuple(weights.tolist()), 0.0)
        return Category(category.weights, float(category.values(column).mean()))
    number = Number(scaling, float(weights[0]), float(weights[1]) if len(weights) > 1 else 0.0, 0.0)
    return Number(scaling, number.weight, number.missing, float(number.values(column).mean()))


def _notes(steps: int) -> tuple[str, ...]:
    if steps < STOP["max_iter"]:
        return ()
    return (f"logistic regression had not converged after {steps} steps: its weights are those of the last one",)

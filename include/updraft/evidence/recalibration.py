"""Calibration slope and intercept: by how much would log-odds have to be stretched and shifted to come true?

The slope is that of a logistic regression of the outcomes on the log-odds given; below 1 the model is too sure of
itself. The intercept is the shift alone, with the slope held at 1: calibration in the large (Cox, Biometrika 45, 1958;
Van Calster et al., BMC Medicine 17, 2019). Bounds come from the sandwich estimate of variance with partitions as
clusters (Liang and Zeger, Biometrika 73, 1986), on Student's t.
"""

import numpy as np
from numpy.typing import NDArray

from updraft.evidence.interval import Interval
from updraft.evidence.metric import Array
from updraft.evidence.sampling import block_codes, critical

_LEAST = 1e-12
_STEPS = 50


def slope(y: Array, p: Array, blocks: NDArray[np.generic], *, confidence: float) -> Interval:
    """Return the calibration slope with one-sided bounds; undefined for a constant prediction."""
    given = log_odds(p)
    if not len(y) or np.ptp(given) < 1e-9:
        return _undefined("the prediction is constant")
    return _fit(np.column_stack([given, np.ones(len(y))]), np.zeros(len(y)), y, blocks, confidence)


def intercept(y: Array, p: Array, blocks: NDArray[np.generic], *, confidence: float) -> Interval:
    """Return the shift of all log-odds, slope 1, with one-sided bounds."""
    return _fit(np.ones((len(y), 1)), log_odds(p), y, blocks, confidence)


def log_odds(p: Array) -> Array:
    """Log-odds of probabilities, finite at 0 and 1."""
    sure = np.clip(p, _LEAST, 1 - _LEAST)
    return np.asarray(np.log(sure) - np.log1p(-sure))


def _fit(x: Array, offset: Array, y: Array, blocks: NDArray[np.generic], confidence: float) -> Interval:
    """Fit a logistic regression by Newton's method; return its first coefficient."""
    if len(np.unique(y)) < 2:
        return _undefined("all outcomes are the same")
    codes = block_codes(blocks)
    count = int(codes.max()) + 1
    if count < 2:
        return _undefined("a single partition says nothing of how partitions differ")
    found, converged = np.zeros(x.shape[1]), False
    for _ in range(_STEPS):
        fitted = 1 / (1 + np.exp(-np.clip(offset + x @ found, -500, 500)))
        information = (x * (fitted * (1 - fitted))[:, None]).T @ x
        if np.linalg.cond(information) > 1e14:
            return _undefined("the log-odds separate the outcomes")
        step = np.linalg.solve(information, x.T @ (y - fitted))
        found = found + np.clip(step, -5, 5)
        if converged := bool(np.abs(step).max() < 1e-9):
            break
    if not converged:
        return _undefined("the log-odds separate the outcomes")
    scores = np.column_stack([np.bincount(codes, column) for column in (x * (y - fitted)[:, None]).T])
    bread = np.linalg.inv(information)
    variance = bread @ (scores.T @ scores) @ bread * count / (count - 1)
    reach = float(np.sqrt(variance[0, 0])) * critical(confidence, count)
    return Interval(float(found[0]), float(found[0]) - reach, float(found[0]) + reach)


def _undefined(why: str) -> Interval:
    return Interval(np.nan, np.nan, np.nan, why)

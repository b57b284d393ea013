"""What probabilities are worth by now: refitted to the labels that came true last, with the error of that fit.

The log-probabilities of the classes are stretched by one slope and shifted by one number per class; of two classes this
is the calibration line of Cox (Biometrika 45, 1958). The error of the fit counts partitions as clusters (Liang & Zeger,
Biometrika 73, 1986), and adds that the partitions it is used for have a luck of their own as well.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from updraft.evidence.metric import Array
from updraft.evidence.sampling import block_codes

_LEAST = 1e-6
_STEPS = 25
# A normal prior at "as the model says": a handful of labels, or a class that never came true, must not run away.
_PRECISION = 1.0


@dataclass(frozen=True, eq=False)
class Recalibrated:
    """A slope and shifts, and how sure they are.

    :param at: The slope, then a shift for every class but the first (k,).
    :param covariance: Of `at`, when it is used for as many partitions as `recalibrate` was told (k, k).
    """

    at: Array
    covariance: Array

    def draws(self, count: int, rng: np.random.Generator) -> Array:
        """Values of `at` that the labels allow (count, k)."""
        return rng.multivariate_normal(self.at, self.covariance, size=count, method="eigh")


def recalibrate(p: Array, y: Array, blocks: NDArray[np.generic], *, ahead: int) -> Recalibrated:
    """Fit probabilities to outcomes by Newton's method.

    :param p: Probability of 1 (n,), or of every class (n, k).
    :param y: Position of the class that came true (n,).
    :param blocks: Partition of each row (n,).
    :param ahead: Partitions that the result is used for.
    """
    x = design(p)
    hit, as_said = np.eye(x.shape[1])[y.astype(np.intp)], np.eye(1, x.shape[2])[0]
    at, likely = as_said, _likelihood(x, hit, as_said, as_said)
    for _ in range(_STEPS):
        gradients, curvature = _slopes(x, hit, at)
        step = np.linalg.solve(curvature, gradients.sum(axis=0) - _PRECISION * (at - as_said))
        # Far from the answer a whole step can lead further away.
        while (then := _likelihood(x, hit, at + step, as_said)) < likely and np.abs(step).max() > 1e-8:
            step = step / 2
        at, likely = at + step, then
        if np.abs(step).max() < 1e-8:
            break
    gradients, curvature = _slopes(x, hit, at)
    return Recalibrated(at, _covariance(gradients, curvature, block_codes(blocks), ahead))


def probabilities(x: Array, at: Array) -> Array:
    """Probability of every class (n, k) after slope and shifts.

    >>> probabilities(design(np.array([0.25])), np.array([1.0, 0.0])).round(2).tolist()
    [[0.75, 0.25]]

    :param x: From `design`.
    """
    return _softmax(x @ at)


def design(p: Array) -> Array:
    """Per row and class: its log-probability, then which class it is, the first left out (n, k, k).

    :param p: Probability of 1 (n,), or of every class (n, k).
    """
    of = np.column_stack([1 - p, p]) if p.ndim == 1 else p
    logs = np.log(np.clip(of, _LEAST, 1.0))
    which = np.broadcast_to(np.eye(of.shape[1])[:, 1:], (*of.shape, of.shape[1] - 1))
    return np.concatenate([logs[:, :, None], which], axis=2)


def _softmax(scores: Array) -> Array:
    if scores.shape[1] == 2:
        from scipy.special import expit

        second = expit(scores[:, 1] - scores[:, 0])
        return np.column_stack([1 - second, second])
    risen = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(risen / risen.sum(axis=1, keepdims=True))


def _likelihood(x: Array, hit: Array, at: Array, as_said: Array) -> float:
    likely = np.log(np.maximum((_softmax(x @ at) * hit).sum(axis=1), 1e-300)).sum()
    return float(likely - _PRECISION / 2 * ((at - as_said) ** 2).sum())


def _slopes(x: Array, hit: Array, at: Array) -> tuple[Array, Array]:
    """Gradient of the log-likelihood per row (n, k), and its negative curvature with the prior's (k, k)."""
    q = _softmax(x @ at)
    gradients = np.einsum("nc,ncd->nd", hit - q, x)
    around = x - np.einsum("nc,ncd->nd", q, x)[:, None, :]
    curvature = np.einsum("nc,ncd,nce->de", q, around, around)
    return gradients, curvature + _PRECISION * np.eye(len(at))


def _covariance(gradients: Array, curvature: Array, codes: NDArray[np.intp], ahead: int) -> Array:
    """Covariance of the fit, in no direction smaller than that of independent rows.

    Where partitions differ by more than chance, the partitions it is used for differ as well, and that is added.
    """
    values, vectors = np.linalg.eigh(curvature)
    half = vectors / np.sqrt(values)
    blocks = int(codes.max()) + 1
    if blocks < 2:
        return np.asarray(half @ half.T)
    sums = np.array([np.bincount(codes, column) for column in gradients.T]).T @ half
    effects, turned = np.linalg.eigh(sums.T @ sums * blocks / (blocks - 1))
    inflation = np.maximum(effects, 1.0) + np.maximum(effects - 1.0, 0.0) * blocks / max(ahead, 1)
    return np.asarray((half @ turned * inflation) @ (half @ turned).T)

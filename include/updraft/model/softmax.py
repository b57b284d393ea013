"""Scores of several classes -> probabilities that mean what they say."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from updraft.model import canonical


@dataclass(frozen=True)
class Softmax:
    """Probability of class c = softmax over classes of (slope * score + the class's intercept).

    The slope is one over the temperature (Guo et al., ICML 2017); the intercepts undo a training that weighed the
    classes otherwise than they come (bias-corrected temperature scaling: Alexandari et al., ICML 2020).
    """

    slope: float
    intercepts: tuple[float, ...]

    def __post_init__(self) -> None:
        if not (0 < self.slope < np.inf and np.isfinite(self.intercepts).all()):
            raise ValueError(f"calibration needs a positive slope, got {self.slope} and {self.intercepts}")

    def probability(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Calibrated probabilities, rows by classes.

        >>> Softmax(1.0, (0.0, 0.0, 0.0)).probability(np.array([[0.0, 0.0, -1000.0]])).tolist()
        [[0.5, 0.5, 0.0]]
        """
        if scores.shape[1:] != (len(self.intercepts),):
            raise ValueError(f"scores of shape {scores.shape} for {len(self.intercepts)} classes")
        return np.exp(log_softmax(self.slope * scores + np.asarray(self.intercepts)))

    def shares(self, contributions: NDArray[np.float64]) -> NDArray[np.float64]:
        """A learner's contributions (n, k, features + 1), of the likeliest class of each row (n, features + 1).

        A row sums to the log of that class's probability less the mean log over the classes. Only this difference is
        defined: the same amount added to the scores of all classes changes no probability.
        """
        calibrated = contributions * self.slope
        calibrated[:, :, -1] += np.asarray(self.intercepts)
        likeliest = calibrated.sum(axis=2).argmax(axis=1)
        return np.asarray((calibrated - calibrated.mean(axis=1, keepdims=True))[np.arange(len(likeliest)), likeliest])

    def dump(self) -> bytes:
        """Write as JSON."""
        return canonical.dump({"intercepts": self.intercepts, "slope": self.slope})

    @classmethod
    def parse(cls, content: bytes) -> Self:
        """Read what `dump` wrote."""
        stored = canonical.parse(content)
        return cls(float(stored["slope"]), tuple(map(float, stored["intercepts"])))


@dataclass(frozen=True)
class Fitted:
    """A calibration, and in `notes` why it is the identity when it is."""

    calibration: Softmax
    notes: tuple[str, ...] = ()


def fit(scores: NDArray[np.float64], labels: NDArray[np.float64], weights: NDArray[np.float64] | None = None) -> Fitted:
    """Fit slope and intercepts by maximum likelihood on smoothed targets, as Platt (1999) does for two classes.

    :param scores: Rows by classes, of rows the learner has not seen.
    :param labels: Position of each row's class (n,).
    :param weights: How much each row counts (n,), not all 0.
    """
    from scipy.optimize import minimize

    classes = scores.shape[1]
    if np.ptp(scores, axis=0).max() == 0:
        return Fitted(_identity(classes), ("not calibrated: every validation row has the same scores",))
    start = np.array([1.0, *np.zeros(classes)])
    each = np.ones(len(labels)) if weights is None else weights / weights.mean()
    targets = _smoothed(labels, classes, each)
    found = minimize(_loss, start, args=(scores, targets, each), jac=True, method="BFGS", options={"gtol": 1e-8})
    slope, intercepts = float(found.x[0]), found.x[1:] - found.x[1:].mean()
    if not (0 < slope < np.inf and np.isfinite(intercepts).all()):
        why = f"not calibrated: the fitted slope is {slope:.3g}, which is not positive"
        return Fitted(_identity(classes), (why,))
    return Fitted(Softmax(slope, tuple(intercepts.tolist())))


def log_softmax(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log-probabilities of scores, rows by classes."""
    shifted = scores - scores.max(axis=1, keepdims=True, initial=-np.inf)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))


def _identity(classes: int) -> Softmax:
    return Softmax(1.0, (0.0,) * classes)


def _smoothed(labels: NDArray[np.float64], classes: int, each: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rows by classes: nearly one for the true class, as if each class had been seen once more in its place."""
    codes = labels.astype(np.int64)
    rows = np.bincount(codes, each, minlength=classes)[codes]
    targets = np.repeat((1 / (rows + classes))[:, None], classes, axis=1)
    targets[np.arange(len(codes)), codes] = (rows + 1) / (rows + classes)
    return targets


def _loss(
    at: NDArray[np.float64], scores: NDArray[np.float64], targets: NDArray[np.float64], each: NDArray[np.float64]
) -> tuple[float, NDArray[np.float64]]:
    logs = log_softmax(at[0] * scores + at[1:])
    excess = each[:, None] * (np.exp(logs) - targets)
    # Means, not dot products: a threaded dot product would make the model's bytes depend on the machine's cores.
    slope = (excess * scores).sum(axis=1).mean()
    return float(-(each * (targets * logs).sum(axis=1)).mean()), np.array([slope, *excess.mean(axis=0)])

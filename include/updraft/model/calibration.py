"""Probabilities that mean what they say: Platt scaling of raw log-odds."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from updraft.model import canonical


@dataclass(frozen=True)
class Calibration:
    """Probability = 1 / (1 + exp(-(slope * log-odds + intercept))).

    The slope is positive, so calibration never changes who is ahead of whom.
    """

    slope: float = 1.0
    intercept: float = 0.0

    def __post_init__(self) -> None:
        if not (0 < self.slope < np.inf and np.isfinite(self.intercept)):
            raise ValueError(f"calibration needs a positive slope, got {self.slope} and {self.intercept}")

    def probability(self, log_odds: NDArray[np.float64]) -> NDArray[np.float64]:
        """Calibrated probabilities.

        >>> Calibration().probability(np.array([0.0, -1000.0, 1000.0])).tolist()
        [0.5, 0.0, 1.0]
        """
        return np.exp(-np.logaddexp(0.0, -(self.slope * log_odds + self.intercept)))

    def shares(self, contributions: NDArray[np.float64]) -> NDArray[np.float64]:
        """A learner's contributions, so that a row sums to the calibrated log-odds."""
        calibrated = contributions * self.slope
        calibrated[:, -1] += self.intercept
        return calibrated

    def dump(self) -> bytes:
        """Write as JSON."""
        return canonical.dump({"intercept": self.intercept, "slope": self.slope})

    @classmethod
    def parse(cls, content: bytes) -> Self:
        """Read what `dump` wrote."""
        stored = canonical.parse(content)
        return cls(float(stored["slope"]), float(stored["intercept"]))


@dataclass(frozen=True)
class Fitted:
    """A calibration, and in `notes` why it is the identity when it is."""

    calibration: Calibration
    notes: tuple[str, ...] = ()


def fit(log_odds: NDArray[np.float64], labels: NDArray[np.float64]) -> Fitted:
    """Fit slope and intercept by maximum likelihood on smoothed targets (Platt 1999, section 2.2).

    When the slope comes out at zero or below, higher scores went with fewer positives: turning the order round on a
    few days of evidence would be worse than leaving it alone, so the identity is kept, with a note.
    """
    from scipy.optimize import minimize

    positives = labels.sum()
    targets = np.where(labels > 0, (positives + 1) / (positives + 2), 1 / (len(labels) - positives + 2))
    if np.ptp(log_odds) == 0:
        return Fitted(Calibration(), ("not calibrated: every validation row has the same score",))
    start = np.array([1.0, 0.0])
    found = minimize(_loss, start, args=(log_odds, targets), jac=True, method="BFGS", options={"gtol": 1e-8})
    slope, intercept = (float(value) for value in found.x)
    if not (0 < slope < np.inf and np.isfinite(intercept)):
        return Fitted(Calibration(), (f"not calibrated: the fitted slope is {slope:.3g}, which is not positive",))
    return Fitted(Calibration(slope, intercept))


def _loss(
    at: NDArray[np.float64], log_odds: NDArray[np.float64], targets: NDArray[np.float64]
) -> tuple[float, NDArray[np.float64]]:
    scores = at[0] * log_odds + at[1]
    excess = np.exp(-np.logaddexp(0.0, -scores)) - targets
    # Means, not dot products: a threaded dot product would make the model's bytes depend on the machine's cores.
    loss = (np.logaddexp(0.0, scores) - targets * scores).mean()
    return float(loss), np.array([(excess * log_odds).mean(), excess.mean()])

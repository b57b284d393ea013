"""Probabilities that mean what they say: Platt scaling or an isotonic curve over raw log-odds."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from updraft.model import canonical

BIN_ROWS = 50


@dataclass(frozen=True)
class Calibration:
    """Probability = 1 / (1 + exp(-(slope * log-odds + intercept))), or along `curve` in place of the straight line.

    The slope is positive and a curve never falls, so calibration never puts anyone behind whom they were ahead of.

    :param curve: Raw and calibrated log-odds, both rising; straight lines between them, level beyond the ends.
    """

    slope: float = 1.0
    intercept: float = 0.0
    curve: tuple[tuple[float, float], ...] = ()

    def __post_init__(self) -> None:
        if not (0 < self.slope < np.inf and np.isfinite(self.intercept)):
            raise ValueError(f"calibration needs a positive slope, got {self.slope} and {self.intercept}")
        knots = np.asarray(self.curve, dtype=np.float64).reshape(-1, 2)
        steps = np.diff(knots, axis=0)
        if not np.isfinite(knots).all() or (steps[:, 0] <= 0).any() or (steps[:, 1] < 0).any():
            raise ValueError("a calibration curve has finite knots that rise")

    def log_odds(self, raw: NDArray[np.float64]) -> NDArray[np.float64]:
        """Calibrated log-odds.

        >>> Calibration(curve=((-1.0, -2.0), (1.0, 0.0))).log_odds(np.array([-9.0, 0.0, 9.0])).tolist()
        [-2.0, -1.0, 0.0]
        """
        if not self.curve:
            return self.slope * raw + self.intercept
        before, after = np.asarray(self.curve).T
        return np.asarray(np.interp(raw, before, after), dtype=np.float64)

    def probability(self, log_odds: NDArray[np.float64]) -> NDArray[np.float64]:
        """Calibrated probabilities.

        >>> Calibration().probability(np.array([0.0, -1000.0, 1000.0])).tolist()
        [0.5, 0.0, 1.0]
        """
        return np.exp(-np.logaddexp(0.0, -self.log_odds(log_odds)))

    def shares(self, raw: NDArray[np.float64]) -> NDArray[np.float64]:
        """Carry contributions to raw log-odds over to calibrated ones; each row still sums to its log-odds.

        Along a curve every feature gets its share of the rise from the base to the row, the rescale rule of DeepLIFT
        (Shrikumar et al., ICML 2017, section 3.5.1).

        :param raw: Rows by features plus one, the base last.
        """
        if not self.curve:
            shares = raw * self.slope
            shares[:, -1] += self.intercept
            return shares
        start, end = raw[:, -1], raw.sum(axis=1)
        risen, way = self.log_odds(end) - self.log_odds(start), end - start
        rate = np.divide(risen, way, out=np.zeros_like(way), where=np.abs(way) > 1e-12)
        return np.column_stack([raw[:, :-1] * rate[:, None], self.log_odds(end) - rate * way])

    def dump(self) -> bytes:
        """Write as JSON."""
        curve = {"curve": self.curve} if self.curve else {}
        return canonical.dump({"intercept": self.intercept, "slope": self.slope, **curve})

    @classmethod
    def parse(cls, content: bytes) -> Self:
        """Read what `dump` wrote."""
        stored = canonical.parse(content)
        curve = tuple((float(before), float(after)) for before, after in stored.get("curve", ()))
        return cls(float(stored["slope"]), float(stored["intercept"]), curve)


@dataclass(frozen=True)
class Fitted:
    """A calibration, and in `notes` why it is the identity when it is."""

    calibration: Calibration
    notes: tuple[str, ...] = ()


def fit(
    log_odds: NDArray[np.float64], labels: NDArray[np.float64], weights: NDArray[np.float64] | None = None
) -> Fitted:
    """Fit slope and intercept by maximum likelihood on smoothed targets (Platt 1999, section 2.2).

    When the slope comes out at zero or below, higher scores went with fewer positives: turning the order round on a
    few days of evidence would be worse than leaving it alone, so the identity is kept, with a note.

    :param weights: How much each row counts (n,), not all 0.
    """
    from scipy.optimize import minimize

    each = np.ones(len(labels)) if weights is None else weights / weights.mean()
    positives = (each * labels).sum()
    targets = np.where(labels > 0, (positives + 1) / (positives + 2), 1 / (len(labels) - positives + 2))
    if np.ptp(log_odds) == 0:
        return Fitted(Calibration(), ("not calibrated: every validation row has the same score",))
    start = np.array([1.0, 0.0])
    found = minimize(_loss, start, args=(log_odds, targets, each), jac=True, method="BFGS", options={"gtol": 1e-8})
    slope, intercept = (float(value) for value in found.x)
    if not (0 < slope < np.inf and np.isfinite(intercept)):
        return Fitted(Calibration(), (f"not calibrated: the fitted slope is {slope:.3g}, which is not positive",))
    return Fitted(Calibration(slope, intercept))


def isotonic(
    log_odds: NDArray[np.float64], labels: NDArray[np.float64], weights: NDArray[np.float64] | None = None
) -> Fitted:
    """Fit a curve that never falls (pool adjacent violators over bins), a knot in the middle of every pooled block.

    Every block is lent one row of the base rate, for a pure block must not become a certainty.

    :param weights: How much each row counts (n,), not all 0.
    """
    from scipy.optimize import isotonic_regression

    each = np.ones(len(labels)) if weights is None else weights[weights > 0] / weights[weights > 0].mean()
    if weights is not None:
        log_odds, labels = log_odds[weights > 0], labels[weights > 0]
    if np.ptp(log_odds) == 0:
        return Fitted(Calibration(), ("not calibrated: every validation row has the same score",))
    edges = np.quantile(log_odds, np.linspace(0, 1, max(1, len(log_odds) // BIN_ROWS) + 1)[1:-1])
    place = np.unique(np.searchsorted(edges, log_odds), return_inverse=True)[1]
    rows, ones, sums = (np.bincount(place, each * summed) for summed in (np.ones_like(labels), labels, log_odds))
    starts = isotonic_regression(ones / rows, weights=rows).blocks[:-1]
    rows, ones, sums = (np.add.reduceat(summed, starts) for summed in (rows, ones, sums))
    rate = ((each * labels).sum() + 1) / (len(labels) + 2)
    share = np.maximum.accumulate((ones + rate) / (rows + 1))
    return Fitted(
        Calibration(curve=tuple(zip((sums / rows).tolist(), np.log(share / (1 - share)).tolist(), strict=True)))
    )


def _loss(
    at: NDArray[np.float64], log_odds: NDArray[np.float64], targets: NDArray[np.float64], each: NDArray[np.float64]
) -> tuple[float, NDArray[np.float64]]:
    scores = at[0] * log_odds + at[1]
    excess = each * (np.exp(-np.logaddexp(0.0, -scores)) - targets)
    # Means, not dot products: a threaded dot product would make the model's bytes depend on the machine's cores.
    loss = (each * (np.logaddexp(0.0, scores) - targets * scores)).mean()
    return float(loss), np.array([(excess * log_odds).mean(), excess.mean()])

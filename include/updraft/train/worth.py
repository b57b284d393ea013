"""What acting from a threshold on is worth, on rows the models were not fitted to: the curve behind the decision.

The threshold that counts is the one the spec's values imply (Elkan, IJCAI 2001, eq. 2): for true probabilities no
other earns more, and it does not move with the luck of a few weeks. The best threshold of the curve is the winner of
ninety-nine noisy ones, so it flatters itself. It is kept as evidence: when it earns more by over one standard error of
the difference, the probabilities are not to be trusted, and a note says so.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from updraft.spec.prediction import Value

Array = NDArray[np.float64]
GRID = np.arange(1, 100) / 100


@dataclass(frozen=True)
class Worth:
    """Mean value per row from each threshold on, in the spec's unit, with two-sided 95 % bounds.

    :param declared: The threshold that counts, with its value and bounds.
    :param best: The threshold of the curve with the highest value, and that value.
    :param regret: How much more the best one earned, and the standard error of that; nan for one partition.
    """

    thresholds: Array
    values: Array
    low: Array
    high: Array
    declared: tuple[float, float, float, float]
    best: tuple[float, float]
    regret: tuple[float, float]

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the decision should know."""
        more, error = self.regret
        if not more > error:
            return ()
        return (
            f"acting from {self.best[0]:.2f} on would have earned {more:.4f} (standard error {error:.4f}) more per row "
            f"than from the threshold {self.declared[0]:.4f} that the values imply: the probabilities may be off",
        )

    def numbers(self) -> dict[str, float]:
        """The declared threshold's value and its bounds, where they are defined."""
        names = ("value", "value_low", "value_high")
        return {n: v for n, v in zip(names, self.declared[1:], strict=True) if np.isfinite(v)}

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; an undefined number is null."""
        arrays = {n: _plain(getattr(self, n)) for n in ("thresholds", "values", "low", "high")}
        return {**arrays, **{n: _plain(np.asarray(getattr(self, n))) for n in ("declared", "best", "regret")}}


def worth(value: Value, labels: Array, probabilities: Array, partitions: NDArray[np.str_]) -> Worth:
    """Measure the value of every threshold; rows of a partition share their luck, so partitions are what varies.

    :param labels: 0.0 or 1.0 (n,).
    :param partitions: Partition key of each row (n,).
    """
    from scipy.special import stdtrit

    _, block = np.unique(partitions, return_inverse=True)
    rows = np.bincount(block)
    grid = np.append(GRID, value.threshold)
    sums: Array = np.stack([np.bincount(block, _each(value, labels, probabilities >= at)) for at in grid])
    means = sums.sum(axis=1) / rows.sum()
    reach = _errors(sums, means, rows) * (stdtrit(len(rows) - 1, 0.975) if len(rows) > 1 else np.nan)
    bottom, top = means - reach, means + reach
    winner = int(np.argmax(means[:-1]))
    more: Array = sums[winner] - sums[-1]
    regret = float(more.sum() / rows.sum())
    return Worth(
        GRID, means[:-1], bottom[:-1], top[:-1],
        declared=(value.threshold, float(means[-1]), float(bottom[-1]), float(top[-1])),
        best=(float(GRID[winner]), float(means[winner])),
        regret=(regret, float(_errors(np.stack([more]), np.array([regret]), rows)[0])),
    )  # fmt: skip


def _each(value: Value, labels: Array, acted: NDArray[np.bool_]) -> Array:
    came_true = np.where(acted, value.true_positive, value.false_negative)
    did_not = np.where(acted, value.false_positive, value.true_negative)
    return np.where(labels == 1, came_true, did_not)


def _errors(sums: Array, means: Array, rows: NDArray[np.intp]) -> Array:
    """Standard error of a mean over rows that come in blocks (Cochran, Sampling Techniques, 1977, eq. 6.13)."""
    blocks = len(rows)
    if blocks < 2:
        return np.full(len(sums), np.nan)
    off = sums - means[:, None] * rows
    return np.asarray(np.sqrt(blocks / (blocks - 1) * (off**2).sum(axis=1)) / rows.sum(), dtype=np.float64)


def _plain(values: Array) -> list[float | None]:
    return [float(v) if np.isfinite(v) else None for v in values]

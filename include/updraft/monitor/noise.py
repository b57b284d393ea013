"""How far a window lies from its reference when nothing moved, measured on the reference's own partitions.

Rows of one partition are not independent (flights of an hour share the weather), so a pooled chi-square test finds
every window of a large table different. Here runs of partitions take the place of rows, as in cluster sampling.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from updraft.monitor.histogram import SMALLEST_LEVEL

# Below this many runs the spread between them is a guess.
FEWEST_RUNS = 5
# Runs are as long as the window where the reference is long enough to hold this many of them; otherwise shorter, and
# what neighbours have in common is partly missed.
RUNS = 10

Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Noise:
    """Law of the `distance` of a window of rows that did not move.

    :param cells: Cells with rows on either side.
    :param rows: ``1/n + 1/m``, for `n` rows of the reference and `m` of the window: the noise of independent rows.
    :param between: Mean distance of a window by what partitions differ; `nan` where the reference keeps no partitions.
    :param freedom: Degrees of freedom of its numerator and its denominator.
    """

    cells: int
    rows: float
    between: float = math.nan
    freedom: tuple[float, float] = (1.0, 1.0)

    def chance(self, distance: float) -> float:
        """Chance of a distance at least as large when nothing moved: by rows or by partitions, whichever is larger."""
        from scipy.special import chdtrc, fdtrc

        by_rows = float(chdtrc(max(self.cells - 1, 1), distance / self.rows))
        return max(by_rows, float(fdtrc(*self.freedom, distance / self.between)) if self.between > 0 else 0.0)

    def critical(self, alpha: float) -> float:
        """Distance whose chance is `alpha`."""
        from scipy.special import chdtri, fdtri

        by_rows = float(chdtri(max(self.cells - 1, 1), alpha)) * self.rows
        return max(by_rows, float(fdtri(*self.freedom, 1 - alpha)) * self.between if self.between > 0 else 0.0)

    @property
    def design_effect(self) -> float:
        """How many dependent rows tell as much as one independent row would (Kish 1965); at least 1."""
        of_rows = max(self.cells - 1, 1) * self.rows
        return max(1.0, self.between / of_rows) if self.between > 0 else 1.0


def distance(reference: Counts, current: Counts) -> float:
    """Chi-square distance of the shares of two counts in the same cells, both of shape (cells,).

    A cell below 1 % weighs as one of 1 %: one row of a new level is no evidence (Cochran 1954).
    """
    p, q = reference / reference.sum(), current / current.sum()
    return float(np.sum(_weights(reference, current) * (q - p) ** 2))


def noise(reference: Counts, current: Counts, parts: Counts, width: int) -> Noise:
    """Find how far windows of `width` partitions lie apart in the reference.

    The sum of squares is compared with its mean over runs of partitions by an F law with the degrees of freedom of
    Satterthwaite's approximation (Rao & Scott 1984; Thomas & Rao 1987): few runs need a larger distance.

    :param parts: Rows per partition of the reference, in order, and cell: (partitions, cells); may be empty.
    """
    cells = int(np.count_nonzero(reference + current))
    of_rows = 1 / int(reference.sum()) + 1 / int(current.sum())
    parts = parts[parts.sum(axis=1) > 0]
    length = max(1, min(width, len(parts) // RUNS))
    count = len(parts) // length
    if count < FEWEST_RUNS:
        return Noise(cells, of_rows)
    runs = parts[len(parts) - count * length :].reshape(count, length, -1).sum(axis=1)
    shares = runs / runs.sum(axis=1, keepdims=True) * np.sqrt(_weights(reference, current))
    spread = np.atleast_2d(np.cov(shares, rowvar=False))
    trace = float(np.trace(spread))
    if not trace > 0:
        return Noise(cells, of_rows)
    effective = trace**2 / float(np.sum(spread**2))
    # Means over `width` partitions vary less than those over a shorter run; the reference's own mean varies as well.
    between = trace * (length / width + length / len(parts))
    return Noise(cells, of_rows, between, (effective, effective * (count - 1)))


def _weights(reference: Counts, current: Counts) -> NDArray[np.float64]:
    pooled: Counts = reference + current
    return 1 / np.maximum(pooled / pooled.sum(), SMALLEST_LEVEL)

"""Distances between a reference and a window, each from counts: effect sizes, which do not grow with the rows.

A limit on one of them says the same as a limit on the population stability index: that of two normal distributions
`d` standard deviations apart is `d` squared, their Wasserstein distance is `d` standard deviations, and a small index
is eight times the Jensen-Shannon divergence.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from updraft.monitor.histogram import Histogram

Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Mass:
    """Numbers by cell, of one side or of several.

    :param rows: How many per cell (..., cells), the missing ones left out.
    :param sums: What they add up to per cell (..., cells).
    """

    rows: NDArray[np.float64]
    sums: NDArray[np.float64]

    @classmethod
    def of(cls, cells: Histogram, values: ArrayLike) -> "Mass":
        """Sort numbers into the cells of a histogram."""
        numbers = np.asarray(values, dtype=float)
        finite = numbers[np.isfinite(numbers)]
        places, count = np.searchsorted(cells.edges, finite), len(cells.cuts) + 1
        rows, sums = np.bincount(places, minlength=count), np.bincount(places, finite, minlength=count)
        return cls(rows.astype(np.float64), sums.astype(np.float64))

    @classmethod
    def of_each(cls, cells: Histogram, parts: Sequence[NDArray[np.float64]]) -> "Mass":
        """Sort finite numbers of several sides into the cells of a histogram (sides, cells)."""
        sides, count = len(parts), len(cells.cuts) + 1
        numbers = np.concatenate([*parts, np.empty(0)])
        side = np.repeat(np.arange(sides), [len(values) for values in parts])
        flat = side * count + np.searchsorted(cells.edges, numbers)
        rows, sums = np.bincount(flat, minlength=sides * count), np.bincount(flat, numbers, minlength=sides * count)
        return cls(rows.reshape(sides, count).astype(np.float64), sums.reshape(sides, count).astype(np.float64))

    @cached_property
    def shares(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Rows and sums per row of the side; `nan` for a side without any."""
        count = self.rows.sum(axis=-1, keepdims=True)
        whole = np.where(count > 0, count, np.nan)
        return self.rows / whole, self.sums / whole


def wasserstein(cells: Histogram, reference: Mass, current: Mass) -> NDArray[np.float64]:
    """Wasserstein distance of two sides, in the numbers' own unit (...,); `nan` when a side has no number.

    It is the area between the distribution functions (Vallender 1974). Over one cell that area follows from the
    counts and the sums alone; it is exact unless the functions cross within a cell, and never too large.

    >>> cells = Histogram("number", (1.0,), (1, 1, 0))
    >>> float(wasserstein(cells, Mass.of(cells, [1.0, 3.0]), Mass.of(cells, [2.0, 4.0])))
    1.0
    """
    edges = np.append(cells.edges, 0.0)  # no edge closes the last cell: both functions are 1
    (before, sums), (now, others) = reference.shares, current.shares
    apart = edges * (np.cumsum(before, axis=-1) - np.cumsum(now, axis=-1))
    areas = apart - (sums - others)
    areas[..., 1:] -= apart[..., :-1]
    return np.asarray(np.abs(areas).sum(axis=-1))


def jensen_shannon(reference: Counts, current: Counts) -> float:
    """Jensen-Shannon distance of two counts in the same cells: from 0 to sqrt(ln 2) (Endres & Schindelin 2003).

    >>> jensen_shannon(np.array([1, 1]), np.array([2, 2]))
    0.0
    """
    p, q = reference / reference.sum(), current / current.sum()
    middle = (p + q) / 2
    halves = [np.sum(side[side > 0] * np.log(side[side > 0] / middle[side > 0])) / 2 for side in (p, q)]
    return math.sqrt(max(float(sum(halves)), 0.0))


def standardised_limit(psi: float) -> float:
    """Wasserstein distance in standard deviations that weighs as much as a stability index."""
    return math.sqrt(psi)


def jensen_shannon_limit(psi: float) -> float:
    """Jensen-Shannon distance that weighs as much as a stability index.

    >>> round(jensen_shannon_limit(0.2), 3)
    0.158
    """
    return math.sqrt(psi / 8)

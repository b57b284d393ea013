"""How far scores moved as a whole, in units one can picture, and how far they move when nothing happened.

Numbers: Wasserstein distance, in standard deviations of the reference, between the shares below each of its cuts; what
lies beyond the outermost cuts counts as lying at them. Classes: Jensen-Shannon distance, base 2, from 0 to 1 (Lin, IEEE
Transactions on Information Theory 37, 1991).

Chance is how far the window moves from itself when its partitions are drawn anew, so it knows that rows of one
partition share their luck. Percentiles over few partitions are too narrow, and are widened as Student's t is against
the normal; the reference's own luck is taken to be that of the window's partitions. Of 200 windows like their
reference, 5 % asked for, 0 to 7 % were further away, over 2 to 14 partitions, with days of a mood of their own and
without.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from updraft.evidence.metric import Array
from updraft.evidence.sampling import REPEATS, block_codes, critical, resamples
from updraft.monitor.histogram import Histogram


@dataclass(frozen=True)
class Distance:
    """How far the scores are from the reference.

    :param chance: How far chance alone takes them, but for `alpha` of the time; `nan` with one partition.
    """

    value: float
    chance: float


def distance(
    reference: Histogram, deviation: float, given: NDArray[np.generic], partitions: NDArray[np.generic],
    *, blocks: int, alpha: float, seed: int,
) -> Distance:  # fmt: skip
    """Measure how far scores are from the reference; undefined, and therefore `nan`, where either has no rows.

    :param deviation: Standard deviation of the reference's scores, for numbers.
    :param blocks: Partitions of the reference.
    :param given: Scores, or predicted classes, one per row (n,).
    """
    before, width = np.asarray(reference.counts, dtype=float), _width(reference, deviation)
    if not len(given) or not before.sum() or (reference.kind == "number" and not width.size):
        return Distance(math.nan, math.nan)
    cells = _per_partition(reference, given, partitions)
    now = cells.sum(axis=0)
    value = float(_apart(now[None], before[None], width)[0])
    if len(cells) < 2:
        return Distance(value, math.nan)
    moved = _apart(resamples(len(cells), seed)[:REPEATS] @ cells, now[None], width)
    return Distance(value, float(np.quantile(moved, 1 - alpha)) * _too_narrow(len(cells), blocks, alpha))


def _too_narrow(now: int, before: int, alpha: float) -> float:
    """By how much a bootstrap over few partitions has to be widened."""
    sure = 1 - alpha / 2
    return math.sqrt(now / (now - 1) * (1 + now / before)) * critical(sure, now) / critical(sure, 1)


def _width(reference: Histogram, deviation: float) -> Array:
    """Distance between neighbouring cuts, in standard deviations; of classes there is none."""
    if reference.kind == "category" or not deviation:
        return np.array([])
    return np.diff(np.asarray(reference.cuts, dtype=float)) / deviation


def _per_partition(reference: Histogram, given: NDArray[np.generic], partitions: NDArray[np.generic]) -> Array:
    codes = block_codes(partitions)
    return np.array([reference.count(given[codes == code]) for code in range(int(codes.max()) + 1)], dtype=float)


def _apart(some: Array, others: Array, width: Array) -> Array:
    """Distance of counts in the same cells, per row (any,)."""
    p, q = (counts / counts.sum(axis=1, keepdims=True) for counts in (some, others))
    if width.size:
        below = np.cumsum(p, axis=1) - np.cumsum(q, axis=1)
        return np.asarray(np.abs(below[:, : len(width)]) @ width)
    middle = (p + q) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = [np.where(one > 0, one * np.log2(one / middle), 0).sum(axis=1) / 2 for one in (p, q)]
    return np.asarray(np.sqrt(np.maximum(parts[0] + parts[1], 0)))

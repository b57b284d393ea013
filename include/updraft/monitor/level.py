"""A number over pooled partitions and how far chance moves it, when rows of one partition share their luck.

Standard errors are the linearised ones of a ratio with partitions as clusters (Liang and Zeger, Biometrika 73, 1986),
never below those of independent rows: a few partitions that happen to agree prove little. Two levels are compared as
means of unequal variance are (Welch, Biometrika 34, 1947), and a window is never taken to be surer of itself than as
many partitions of the holdout were: one partition alone does not know how partitions differ.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from updraft.evidence.metric import Array
from updraft.evidence.sampling import block_codes, critical
from updraft.monitor.drift import Status


@dataclass(frozen=True)
class Level:
    """A number over pooled partitions.

    :param error: Its standard error.
    :param blocks: Partitions among the rows.
    :param rows: Rows it rests on.
    """

    value: float
    error: float
    blocks: int
    rows: int

    def bounds(self, confidence: float, low: float = -math.inf, high: float = math.inf) -> tuple[float, float]:
        """Bounds that each hold with `confidence`, cut to the range of the number."""
        reach = self.error * critical(confidence, self.blocks)
        return max(low, self.value - reach), min(high, self.value + reach)


def level(each: ArrayLike, partitions: NDArray[np.generic]) -> Level | None:
    """Mean of a number per row; `None` where fewer than two rows say nothing of how far chance moves it.

    :param each: The number of each row (n,).
    :param partitions: Partition of each row (n,).

    >>> level([1, 0, 0, 1], np.array(["a", "a", "b", "b"])).value
    0.5
    """
    found = levels(np.asarray(each, dtype=float)[:, None], partitions)
    return found[0] if found else None


def levels(each: Array, partitions: NDArray[np.generic]) -> list[Level]:
    """As `level`, of several numbers per row (n, k); empty with fewer than two rows."""
    n = len(each)
    if n < 2:
        return []
    codes, mean = block_codes(partitions), each.mean(axis=0)
    blocks = int(codes.max()) + 1
    off = np.zeros((blocks, each.shape[1]))
    np.add.at(off, codes, each - mean)
    alone = each.std(axis=0, ddof=1) / math.sqrt(n)
    errors = np.maximum(alone, _between(off, n))
    return [Level(float(m), float(e), blocks, n) for m, e in zip(mean, errors, strict=True)]


def share(some: ArrayLike, among: ArrayLike) -> Level | None:
    """Share of rows, from its counts per partition; `None` where there are no rows.

    :param some: Rows that count, per partition (blocks,).
    :param among: All rows, per partition (blocks,).

    >>> share([1, 3], [10, 10]).value
    0.2
    """
    of, rows = np.asarray(some, dtype=float), np.asarray(among, dtype=float)
    n = int(rows.sum())
    if not n:
        return None
    value = float(of.sum() / n)
    alone = math.sqrt(value * (1 - value) / n)
    between = float(_between((of - value * rows)[:, None], n)[0])
    return Level(value, max(alone, between), len(rows), n)


def _between(off: Array, n: int) -> Array:
    """Standard error of means from the partitions' sums of deviations (blocks, k); zero for a single partition."""
    blocks = len(off)
    if blocks < 2:
        return np.zeros(off.shape[1])
    return np.asarray(np.sqrt((off**2).sum(axis=0) * blocks / (blocks - 1)) / n)


def widened(now: Level, before: Level) -> Level:
    """A window's level with at least the error that as many partitions of the holdout had."""
    borrowed = before.error * math.sqrt(before.blocks / now.blocks)
    return now if now.error >= borrowed else replace(now, error=borrowed, blocks=before.blocks)


def reach(now: Level, before: Level, *, alpha: float) -> float:
    """How far chance alone takes one level from another, but for `alpha` of the time, either way."""
    from scipy.special import ndtri, stdtrit

    parts = [(one.error**2, one.blocks) for one in (widened(now, before), before)]
    variance = sum(square for square, _ in parts)
    doubt = sum(square**2 / (blocks - 1) for square, blocks in parts if blocks > 1)
    sure = 1 - alpha / 2
    times = stdtrit(variance**2 / doubt, sure) if doubt else ndtri(sure)
    return float(times * math.sqrt(variance))


def judge(away: float, chance: float, *, effect: float) -> Status:
    """Say `drifted` of a distance that matters and is beyond chance, `unknown` of one that chance may explain.

    :param away: The distance.
    :param chance: How far chance alone takes it.
    :param effect: From where on it matters.

    >>> judge(0.1, 0.3, effect=0.2), judge(-0.25, 0.3, effect=0.2), judge(-0.35, 0.3, effect=0.2)
    ('ok', 'unknown', 'drifted')
    """
    if math.isnan(away + chance):
        return "unknown"
    if abs(away) < effect:
        return "ok"
    return "drifted" if abs(away) > chance else "unknown"

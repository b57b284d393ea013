"""How far a column moved from its reference, and how far it moves when nothing happened."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from updraft.monitor.histogram import Histogram, histogram

Status = Literal["ok", "drifted", "unknown"]

# Chance of a false alarm in one look at one use case when nothing moved; the looks share it among their columns.
ALPHA = 0.01
# What is judged apart from the columns, and asks for a training by itself, is one of so many that do (Bonferroni).
SHARED = ALPHA / 6


@dataclass(frozen=True)
class Drift:
    """One column's movement away from its reference.

    :param value: Population stability index; `nan` when it is undefined.
    :param limit: The value from which the column counts as drifted (see `psi_limit`); `nan` with `value`.
    :param n: Rows of the reference.
    :param m: Rows of the window.
    :param status: `unknown` is neither calm nor alarm: there was nothing, or too little, to judge.
    """

    value: float
    limit: float
    n: int
    m: int
    status: Status
    reason: str


def drift(reference: Histogram, current: ArrayLike, *, effect: float, min_rows: int, alpha: float = ALPHA) -> Drift:
    """Compare a window with the reference counts of the same column.

    :param current: One value per row, shape (rows,).
    :param effect: Index below which a movement does not matter, however sure it is.
    :param min_rows: Fewest rows of a window that may be judged.
    :param alpha: Chance of calling a column drifted that did not move.
    """
    before, now = np.asarray(reference.counts), reference.count(current)
    if before.sum() and _constant(before):
        why = "all rows of the reference are in one cell, so nothing can be said to move"
        return Drift(math.nan, math.nan, int(before.sum()), int(now.sum()), "unknown", why)
    return judge(before, now, effect=effect, min_rows=min_rows, alpha=alpha)


def judge(
    reference: NDArray[np.int64], current: NDArray[np.int64], *, effect: float, min_rows: int, alpha: float = ALPHA
) -> Drift:
    """Compare counts in the same cells, both of shape (cells,); otherwise as `drift`."""
    n, m = int(reference.sum()), int(current.sum())
    if not n or not m:
        return Drift(math.nan, math.nan, n, m, "unknown", f"the {'window' if n else 'reference'} has no rows")
    value = stability(reference, current)
    limit = psi_limit(n, m, int(np.count_nonzero(reference + current)), alpha, effect)
    if m < min_rows:
        return Drift(value, limit, n, m, "unknown", f"{m} rows in the window, {min_rows} are needed")
    moved = value >= limit
    reason = f"PSI {value:.3g} {'reaches' if moved else 'is below'} its limit {limit:.3g}"
    return Drift(value, limit, n, m, "drifted" if moved else "ok", reason)


def population_stability(reference: ArrayLike, current: ArrayLike, *, bins: int = 10) -> float:
    """Population stability index over quantile bins, or levels, of `reference` (nats).

    Missing values are a bin. Numbers are binned at quantiles; anything else by its levels, those below 1 % together.
    Never negative; 0 when both sides have the same shares. Undefined, and therefore `nan`, when either side is empty
    or `reference` is constant.

    >>> population_stability(np.arange(100.0), np.arange(100.0))
    0.0
    >>> population_stability(["a", "a", "b", "b"], ["a", "a", "a", "b"])  # (1/4) ln(3/2) - (1/4) ln(1/2)
    0.27465307216702745
    >>> population_stability(np.ones(100), np.arange(100.0))
    nan
    """
    numeric = np.issubdtype(np.asarray(reference).dtype, np.number)
    cells = histogram(reference, "number" if numeric else "category", bins=bins)
    counts = np.asarray(cells.counts)
    return math.nan if _constant(counts) else stability(counts, cells.count(current))


def stability(reference: NDArray[np.int64], current: NDArray[np.int64]) -> float:
    """Population stability index of counts in the same cells, both of shape (cells,).

    It is Jeffreys' divergence of the shares (Jeffreys 1946; as a credit scoring index: Siddiqi 2006). A cell
    that is empty on one side counts as half a row there, but never as more than the other side's share: that the
    window lacks a level with one row in a million is no evidence. Undefined, and therefore `nan`, when either side is
    empty.
    """
    if not reference.sum() or not current.sum():
        return math.nan
    p, q = reference / reference.sum(), current / current.sum()
    floor_p, floor_q = np.minimum(q, 0.5 / reference.sum()), np.minimum(p, 0.5 / current.sum())
    p, q = np.where(p > 0, p, floor_p), np.where(q > 0, q, floor_q)
    seen = p > 0
    return float(np.sum((p[seen] - q[seen]) * np.log(p[seen] / q[seen])))


def psi_limit(n: int, m: int, bins: int, alpha: float, effect: float) -> float:
    """Index from which a column counts as drifted: large enough to matter, and too large to be chance.

    When nothing moved, the index of `m` against `n` rows over `bins` cells is distributed about as
    ``(1/n + 1/m)`` times chi-square with ``bins - 1`` degrees of freedom (Yurdakul 2018); the limit is
    its ``1 - alpha`` quantile or `effect`, whichever is larger.

    It assumes rows drawn independently. Rows of one partition often are not (all flights of an hour share its
    weather), so the noise of a pooled window is understated, and `effect` and k-of-n alarms must carry the rest.

    >>> round(psi_limit(1000, 500, 10, 0.01, 0.2), 3), round(psi_limit(1000, 50, 10, 0.01, 0.2), 3)
    (0.2, 0.455)
    """
    from scipy.special import chdtri

    return max(effect, float(chdtri(bins - 1, alpha)) * (1 / n + 1 / m))


def _constant(counts: NDArray[np.int64]) -> bool:
    return bool(np.count_nonzero(counts) < 2)

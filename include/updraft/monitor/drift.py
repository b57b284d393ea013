"""How far a column moved from its reference as a stability index, and what chance of a false alarm looks share."""

import math
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Status = Literal["ok", "drifted", "unknown"]

# Chance of a false alarm in one look at one use case when nothing moved.
ALPHA = 0.01
# What asks for a training by itself is one of so many kinds that do (Bonferroni). A year has 365 looks.
SHARED = ALPHA / 6


def stability(reference: NDArray[np.int64], current: NDArray[np.int64]) -> float:
    """Population stability index of counts in the same cells, both of shape (cells,).

    It is Jeffreys' divergence of the shares (Jeffreys 1946; as a credit scoring index: Siddiqi 2006). A cell
    that is empty on one side counts as half a row there, but never as more than the other side's share: that the
    window lacks a level with one row in a million is no evidence. Undefined, and therefore `nan`, when either side is
    empty.

    >>> stability(np.array([50, 50]), np.array([75, 25]))  # (1/4) ln(3/2) - (1/4) ln(1/2)
    0.27465307216702745
    """
    if not reference.sum() or not current.sum():
        return math.nan
    p, q = reference / reference.sum(), current / current.sum()
    floor_p, floor_q = np.minimum(q, 0.5 / reference.sum()), np.minimum(p, 0.5 / current.sum())
    p, q = np.where(p > 0, p, floor_p), np.where(q > 0, q, floor_q)
    seen = p > 0
    return float(np.sum((p[seen] - q[seen]) * np.log(p[seen] / q[seen])))

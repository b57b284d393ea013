"""Train/serve skew: does the champion see rows of the kind it learnt from, before it scores them?"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from updraft.monitor.drift import ALPHA
from updraft.monitor.reference import Profile, Seen
from updraft.spec.model import UseCase

if TYPE_CHECKING:
    from pandas import DataFrame

Kind = Literal["unseen", "outside", "missing"]
Status = Literal["ok", "skewed", "unknown"]


@dataclass(frozen=True)
class Skewed:
    """How one feature of a partition lies to the champion's training rows.

    :param kind: `unseen` categories, numbers `outside` the range, or `missing` values.
    :param share: Share of the partition's rows; `nan` when it is undefined.
    :param base: Share of the training rows: 0 but for `missing`.
    :param low: Lower confidence bound of `share`.
    :param n: Rows of the partition.
    :param status: `skewed` when `low` is more than what the spec allows above `base`.
    """

    feature: str
    kind: Kind
    share: float
    base: float
    low: float
    n: int
    status: Status
    reason: str


def skew(profile: Profile, frame: "DataFrame", case: UseCase) -> list[Skewed]:
    """Hold the features of a partition against the champion's training rows.

    A share counts only when its exact lower bound (Clopper and Pearson 1934) is beyond the limit, so that a few odd
    rows of a small partition do not; the looks share the chance of a false alarm among them.

    :param frame: Feature rows of one partition.
    """
    looks = [look for name in case.features for look in _looks(name, profile, frame, case)]
    return [_judged(*look, looks=len(looks)) for look in looks]


def _looks(name: str, profile: Profile, frame: "DataFrame", case: UseCase) -> Iterator[tuple[Any, ...]]:
    """Feature, kind, rows that are odd (or why that is not known), share in training, limit, rows."""
    n, counts, seen = len(frame), profile.features.get(name), profile.seen.get(name)
    if counts is None or counts.kind != case.features[name].type:
        yield name, "missing", "the champion did not learn from it as it is", 0.0, case.skew.missing, n
        return
    missing = frame[name].isna().to_numpy(bool)
    base = counts.counts[-1] / max(counts.rows, 1)
    yield name, "missing", int(missing.sum()), base, case.skew.missing, n
    kind, limit = ("unseen", case.skew.unseen) if counts.kind == "category" else ("outside", case.skew.outside)
    if seen is None or (seen.low is None and seen.levels is None):
        yield name, kind, "its training rows do not say", 0.0, limit, n
    else:
        yield name, kind, int(_odd(seen, frame, name, missing).sum()), 0.0, limit, n


def _odd(seen: Seen, frame: "DataFrame", name: str, missing: NDArray[np.bool_]) -> NDArray[np.bool_]:
    if seen.levels is not None:
        known: NDArray[np.bool_] = frame[name].astype(str).isin(seen.levels).to_numpy(bool)
        return ~known & ~missing
    values = frame[name].to_numpy(float)
    return (values < (seen.low or 0.0)) | (values > (seen.high or 0.0))


def _judged(name: str, kind: Kind, odd: int | str, base: float, limit: float, n: int, *, looks: int) -> Skewed:
    if isinstance(odd, str) or not n:
        return Skewed(name, kind, math.nan, base, math.nan, n, "unknown", odd if isinstance(odd, str) else "no rows")
    share, low = odd / n, lower_bound(odd, n, ALPHA / looks)
    status: Status = "skewed" if low > base + limit else "ok"
    said = {"unseen": "of a category never trained on", "outside": "beyond what was trained on", "missing": "missing"}
    before = f", {base:.1%} in training" if kind == "missing" else ""
    reason = f"{odd} of {n} rows ({share:.1%}) {said[kind]}{before}; at most {base + limit:.1%} is allowed"
    return Skewed(name, kind, share, base, low, n, status, reason)


def lower_bound(odd: int, n: int, alpha: float) -> float:
    """One-sided exact lower bound of a share (Clopper and Pearson 1934).

    >>> lower_bound(0, 10, 0.05)
    0.0
    >>> round(lower_bound(10, 10, 0.05), 4)  # 0.05 ** (1 / 10)
    0.7411
    """
    from scipy.stats import beta

    return float(beta.ppf(alpha, odd, n - odd + 1)) if odd else 0.0

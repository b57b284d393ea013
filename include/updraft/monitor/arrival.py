"""When labels arrive, and whether it depends on what they say: what is known early may not be like the rest.

A cohort is the rows of one partition; its age is counted in partitions. Labels count from the age `mature` on. Older
cohorts were looked at again, twice that old: what they had by `mature`, and what came after it, tells which labels are
late. Rows whose label is undefined by definition are no part of this.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from updraft.evidence.interval import interval
from updraft.evidence.metric import Array, mean
from updraft.evidence.sampling import critical

if TYPE_CHECKING:
    from pandas import DataFrame

ALPHA = 0.01
# Differences between shares that are smaller than this move no metric by anything that matters.
LEAST_GAP = 0.05
LEAST_ROWS = 200
_CELLS = 10
_SHARE = mean("share", lambda y, _p: y, higher_is_better=True, bounds=(0.0, 1.0))


@dataclass(frozen=True, eq=False)
class Arrivals:
    """Cohorts, and at which age each row's label was first there.

    :param rows: One row per scored row: `partition`; `score` of the champion (missing where another model scored);
        `label` as last seen (missing where there is none); `age` at which it was first there (missing where it was
        not); `looked`, the highest age its cohort was looked at.
    :param ages: Ages at which cohorts were looked at, ascending.
    :param mature: The age at which labels count as complete, one of `ages`.
    """

    rows: "DataFrame"
    ages: tuple[int, ...]
    mature: int

    @property
    def complete(self) -> bool:
        """Whether every label was there when its cohort was mature, as far as there are any cohorts."""
        return bool((self.rows["age"] <= self.mature).all())


@dataclass(frozen=True)
class Arrived:
    """Share of rows that had their label by an age, with one-sided bounds.

    :param n: Rows of the cohorts that old.
    :param cohorts: Their number.
    """

    age: int
    share: float
    low: float
    high: float
    n: int
    cohorts: int


def curve(arrivals: Arrivals, *, confidence: float, seed: int) -> list[Arrived]:
    """Share of rows that have their label, by age, over all cohorts that are old enough.

    Bounds are the wider of those between cohorts and Wilson's score interval (JASA 22, 1927), which knows that a share
    of 1 in a few rows proves little.
    """
    found = []
    for age in arrivals.ages:
        rows = arrivals.rows[arrivals.rows["looked"] >= age]
        if len(rows):
            there = (rows["age"] <= age).to_numpy().astype(np.float64)
            between = interval(_SHARE, there, there, rows["partition"].to_numpy(), confidence=confidence, seed=seed)
            low, high = _wilson(float(there.sum()), len(rows), critical(confidence, 1))
            low, high = float(np.fmin(low, between.low)), float(np.fmax(high, between.high))
            found.append(Arrived(age, between.value, low, high, len(rows), rows["partition"].nunique()))
    return found


def _wilson(hits: float, n: int, z: float) -> tuple[float, float]:
    """Return the score interval of a share.

    >>> [round(bound, 3) for bound in _wilson(10, 10, 1.645)]
    [0.787, 1.0]
    """
    middle, half = hits + z * z / 2, z * np.sqrt(hits * (n - hits) / n + z * z / 4)
    low, high = np.clip([(middle - half) / (n + z * z), (middle + half) / (n + z * z)], 0.0, 1.0)
    return float(low), float(high)


@dataclass(frozen=True, eq=False)
class Dependence:
    """Whether labels arrive alike in groups of rows.

    :param edges: Upper edges (included) of all groups but the last.
    :param hits: Rows of each group whose label arrived (g,).
    :param rows: Rows of each group (g,).
    """

    edges: Array
    hits: NDArray[np.intp]
    rows: NDArray[np.intp]

    @property
    def shares(self) -> Array:
        """Share that arrived, by group; half a row is lent to either side, so that none is 0."""
        return np.asarray((self.hits + 0.5) / (self.rows + 1))

    def drawn(self, rng: np.random.Generator, times: int) -> Array:
        """Shares that the rows allow (times, g)."""
        return rng.beta(self.hits + 0.5, self.rows - self.hits + 0.5, size=(times, len(self.rows)))

    @property
    def gap(self) -> float:
        """Highest share less lowest."""
        return float(np.ptp(self.shares)) if len(self.rows) > 1 else 0.0

    @property
    def matters(self) -> bool:
        """Whether the shares differ beyond chance (chi-square of homogeneity), and by enough to matter."""
        from scipy.stats import chi2_contingency

        table = np.array([self.hits, self.rows - self.hits])
        if self.gap < LEAST_GAP or table.sum() < LEAST_ROWS or not table.sum(axis=1).all():
            return False
        return bool(chi2_contingency(table, correction=False).pvalue < ALPHA)

    def group(self, values: Array) -> NDArray[np.intp]:
        """Group of each value (n,)."""
        return np.asarray(np.searchsorted(self.edges, values), dtype=np.intp)


def by_outcome(arrivals: Arrivals, *, classes: bool) -> Dependence | None:
    """Of labels that came at all, the share that was there when the cohort was mature, by what they say.

    :param classes: Whether a label is a class; numbers are cut into groups of equal size.
    :return: `None` while no cohort is old enough to have had late labels.
    """
    rows = _followed(arrivals)
    rows = rows[_told_by(rows, arrivals.mature) & rows["age"].notna()]
    if not len(rows):
        return None
    values = rows["label"].to_numpy(float)
    return _dependence(values, (rows["age"] <= arrivals.mature).to_numpy(), np.unique(values)[:-1] if classes else None)


def by_score(arrivals: Arrivals) -> Dependence | None:
    """Share of rows whose label came at all, by the champion's score; `None` where it has scored none of them."""
    rows = _followed(arrivals)
    if not len(rows):
        rows = _heard(arrivals, arrivals.mature)
    rows = rows[rows["score"].notna()]
    return _dependence(rows["score"].to_numpy(float), rows["age"].notna().to_numpy(), None) if len(rows) else None


def missing(arrivals: Arrivals | None) -> float:
    """Share of rows whose label was not there when their cohort was mature; 0 where nothing is known of it."""
    if arrivals is None or arrivals.complete:
        return 0.0
    rows = arrivals.rows[_told_by(arrivals.rows, arrivals.mature)]
    return float((~(rows["age"] <= arrivals.mature)).mean()) if len(rows) else 0.0


def _followed(arrivals: Arrivals) -> "DataFrame":
    """Rows of the cohorts that were looked at long after they were mature."""
    last = arrivals.ages[-1]
    return _heard(arrivals, last) if last > arrivals.mature else arrivals.rows[:0]


def _heard(arrivals: Arrivals, age: int) -> "DataFrame":
    """Rows of cohorts of an age; one without any label says nothing about which of them are late."""
    rows = arrivals.rows[arrivals.rows["looked"] >= age]
    return rows[_told_by(rows, np.inf)]


def _told_by(rows: "DataFrame", age: float) -> NDArray[np.bool_]:
    """Whether any label of each row's cohort was there by an age: an outage makes no label later than another (n,)."""
    return np.asarray((rows["age"] <= age).groupby(rows["partition"]).transform("any"), dtype=bool)


def _dependence(values: Array, arrived: NDArray[np.bool_], edges: Array | None) -> Dependence:
    if edges is None:
        cuts = np.unique(np.quantile(values, np.linspace(0, 1, _CELLS + 1)[1:-1], method="inverted_cdf"))
        edges = cuts[cuts < values.max()]
    group = np.searchsorted(edges, values)
    groups = len(edges) + 1
    return Dependence(edges, np.bincount(group[arrived], minlength=groups), np.bincount(group, minlength=groups))

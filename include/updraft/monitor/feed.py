"""What looks like a fault of the feed rather than of the world: each sign is one the world hardly gives.

The world drifts; it does not turn degrees Celsius into Fahrenheit overnight, nor forget every value of a column.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from statistics import median
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from updraft.monitor.distance import Mass, wasserstein
from updraft.monitor.histogram import Histogram
from updraft.monitor.reference import Profile, Seen
from updraft.monitor.skew import lower_bound

if TYPE_CHECKING:
    from pandas import DataFrame

# Rows of a partition below which no sign is told from chance.
FEWEST_ROWS = 30
# By how much the share of missing values exceeds what is usual, and the share of unknown categories from which all are.
GONE, ALL = 0.1, 0.9
# How much further than any partition of the reference a jump goes, and how little of it is left in the other unit.
FURTHER, LEFT = 1.5, 1 / 3
# How little is left where the jump is beyond any season, though the reference be of another one.
SURELY = 0.01
# How much nearer to the unit than to none a change of the spread is.
NEARER = 0.4
# In standard deviations: less is no jump, and as much is left by chance.
SMALLEST_JUMP, LEAST_LEFT = 0.5, 0.1
CHANCE = 1e-6
COLDEST, HOTTEST = -80.0, 140.0

Numbers = NDArray[np.float64]
Column = NDArray[Any]


@dataclass(frozen=True)
class Unit:
    """A change of unit: what was `x` comes as ``factor * x + offset``."""

    name: str
    factor: float
    offset: float = 0.0

    def back(self, values: Numbers) -> Numbers:
        """Return the values in the old unit."""
        return (values - self.offset) / self.factor

    def explains(self, ratio: float) -> bool:
        """Whether a change of the spread is that of the unit, rather than none: a mere shift has none."""
        return abs(math.log(ratio / self.factor)) < NEARER * abs(math.log(ratio))

    @property
    def is_large(self) -> bool:
        """Whether the world never scales like that, so that one look is enough."""
        return max(self.factor, 1 / self.factor) >= 10


_RATIOS = {"0.3048": 0.3048, "0.4536": 0.45359237, "2.54": 2.54, "24": 24.0, "60": 60.0, "100": 100.0, "1000": 1000.0}
UNITS = (
    Unit("x 1.8 + 32", 1.8, 32.0),
    Unit("(x - 32) / 1.8", 1 / 1.8, -32 / 1.8),
    *(Unit(f"x {name}", ratio) for name, ratio in _RATIOS.items()),
    *(Unit(f"/ {name}", 1 / ratio) for name, ratio in _RATIOS.items()),
)


@dataclass(frozen=True)
class Usual:
    """What is usual of one feature, by the champion's reference.

    :param parts: Rows by partition and cell; may be empty.
    """

    cells: Histogram
    seen: Seen
    parts: NDArray[np.int64]

    @classmethod
    def of(cls, profile: Profile, name: str) -> Self:
        """Take it from a reference, once."""
        if ("usual", name) not in profile.derived:
            made = cls(profile.features[name], profile.seen.get(name, Seen()), profile.part(name))
            profile.derived["usual", name] = made
        found: Self = profile.derived["usual", name]
        return found

    @cached_property
    def missing(self) -> float:
        """Share of missing values that a partition stays below, by the newer half: the first ones lack a history.

        Where whole stations fall silent now and then, the worst day of a reference is not the worst there is: five
        deviations from the mean are, whatever the law, exceeded one day in 26 at most (Cantelli's inequality).
        """
        rows = self.parts[len(self.parts) // 2 :] if len(self.parts) else np.asarray(self.cells.counts)[None, :]
        shares = rows[:, -1] / np.maximum(rows.sum(axis=1), 1)
        return min(max(float(shares.max()), float(shares.mean() + 5 * shares.std())), 1.0)

    @property
    def can_be_degrees(self) -> bool:
        """Whether the numbers lie where the temperatures of weather do, in either unit."""
        return (self.seen.low or 0.0) >= COLDEST and (self.seen.high or 0.0) <= HOTTEST

    @cached_property
    def means(self) -> Numbers:
        """Mean number per cell."""
        return np.asarray(self.seen.sums or ()) / np.maximum(self.cells.counts[:-1], 1)

    def mass(self, rows: NDArray[np.int64]) -> Mass:
        """Numbers of partitions of the reference (..., cells), as far as their counts tell."""
        return Mass(rows[..., :-1].astype(float), rows[..., :-1] * self.means)

    @cached_property
    def whole(self) -> "Home":
        """The whole reference, as somewhere to jump from."""
        mass = self.mass(np.asarray(self.cells.counts))
        return Home.of(mass, self.seen.spread, self._furthest(self.mass(self.parts), mass))

    @cached_property
    def step(self) -> float:
        """How far the world goes from one partition of the reference to the next."""
        return self._furthest(self.mass(self.parts[:-1]), self.mass(self.parts[1:]))

    def _furthest(self, some: Mass, others: Mass) -> float:
        return float(np.nanmax(self.apart(some, others), initial=0.0))

    def apart(self, one: Mass, other: Mass) -> Numbers:
        """Wasserstein distance in standard deviations of the reference (...,)."""
        return wasserstein(self.cells, one, other) / (self.seen.spread or math.nan)


def by_partition(rows: "DataFrame", names: Iterable[str]) -> tuple[list[str], dict[str, list[Column]]]:
    """Keys of the partitions of some rows, in order, and the values of columns in each of them."""
    codes, keys = rows["partition"].astype(str).factorize(sort=True)
    order, ends = np.argsort(codes, kind="stable"), np.bincount(codes, minlength=len(keys)).cumsum()[:-1]
    return [*keys], {name: np.split(rows[name].to_numpy()[order], ends) for name in names}


def signs(usual: Usual, parts: Sequence[Any], *, was_broken: bool) -> list[str]:
    """Say what is wrong with each partition's values of a feature; empty where nothing is.

    :param parts: The values of each partition (n,), oldest first, as arrays or series.
    :param was_broken: Whether the feature was called broken just before the first of them.
    """
    import pandas as pd

    columns = [np.asarray(values) for values in parts]
    there = [~pd.isna(values) for values in columns]
    present = [values[own] for values, own in zip(columns, there, strict=True)]
    gone = [missing(usual, int((~own).sum()), len(own)) for own in there]
    same = [constant(usual, values.tolist()) for values in present]
    if usual.cells.kind == "category":
        other = [unknown(usual, [str(value) for value in values]) for values in present]
    else:
        numbers = [values.astype(float) for values in present]
        finite = [values[np.isfinite(values)] for values in numbers]
        other = list(rescaled(usual, finite, was_broken=was_broken))
    return [", ".join(filter(None, each)) for each in zip(gone, same, other, strict=True)]


def missing(usual: Usual, gone: int, rows: int) -> str:
    """Say that values went missing; empty when they did not."""
    if rows < FEWEST_ROWS or gone / rows < usual.missing + GONE or lower_bound(gone, rows, CHANCE) <= usual.missing:
        return ""
    return f"{gone / rows:.0%} of the values are missing, at most {usual.missing:.0%} are usual"


def constant(usual: Usual, values: Sequence[object]) -> str:
    """Say that a column that varies within every partition of the reference has one value only."""
    if len(values) < FEWEST_ROWS or any(value != values[0] for value in values):
        return ""
    if usual.seen.alike is None or usual.seen.alike > ALL:
        return ""
    here = usual.cells.count(np.asarray(values[:1], dtype=object))[:-1] > 0
    # A value that holds most rows anyway can fill a day by chance, as no rain does.
    if np.asarray(usual.cells.counts[:-1])[here].sum() > sum(usual.cells.counts) / 2:
        return ""
    return f"all {len(values)} values are {str(values[0])[:40]!r}"


def unknown(usual: Usual, levels: Sequence[str]) -> str:
    """Say that hardly any category is one the champion knows."""
    if usual.seen.levels is None or len(levels) < FEWEST_ROWS or (usual.seen.fresh or 0.0) > 1 - ALL:
        return ""
    known = set(usual.seen.levels)
    new = sum(level not in known for level in levels)
    return f"{new} of {len(levels)} categories were never trained on" if new >= ALL * len(levels) else ""


def rescaled(usual: Usual, parts: Sequence[Numbers], *, was_broken: bool) -> Iterator[str]:
    """Say, per partition of a window, which change of unit explains a jump away from what is usual.

    A factor of ten or more is looked for against the whole reference. A smaller one a season could imitate, so it must
    show as a jump from one partition to the next, larger than any within the reference; or go on from such a jump.

    :param parts: Finite numbers of each partition, oldest first.
    :param was_broken: Whether the feature was called broken in the look before.
    """
    if not usual.seen.spread or len(usual.parts) < 2:
        yield from ("" for _ in parts)
        return
    if _calm(usual, parts):
        yield from ("" for _ in parts)
        return
    whole = usual.whole
    still = replace(whole, spread=None, left=math.inf)
    before: Home | None = None
    spreads: list[float] = []
    for values in parts:
        found: list[Unit] = []
        if len(values) >= FEWEST_ROWS:
            now, spread = Mass.of(usual.cells, values), float(values.std())
            found = [unit for unit in _fits(usual, values, now, spread, whole) if unit.is_large]
            found = found or ([] if before is None else _fits(usual, values, now, spread, before))
            found = found or (_fits(usual, values, now, spread, still) if was_broken else [])
            if not found:
                spreads.append(spread)
                before = Home.of(now, median(spreads), usual.step)
        yield f"a jump that fits a change of unit such as {found[0].name}" if found else ""


def _calm(usual: Usual, parts: Sequence[Numbers]) -> bool:
    """Whether no partition is a jump away from the reference, nor from the one before: so it is nearly always."""
    judged = [values for values in parts if len(values) >= FEWEST_ROWS]
    now, whole = Mass.of_each(usual.cells, judged), usual.whole
    steps = usual.apart(Mass(now.rows[:-1], now.sums[:-1]), Mass(now.rows[1:], now.sums[1:]))
    return not ((usual.apart(whole.mass, now) > whole.jump).any() or (steps > _jump(usual.step)).any())


def _jump(natural: float) -> float:
    """How far away a jump goes at least, in standard deviations, where the world goes as far as is natural."""
    return max(FURTHER * natural, SMALLEST_JUMP)


@dataclass(frozen=True)
class Home:
    """Numbers that a jump starts from.

    :param spread: Their standard deviation; `None` where it is not to be looked at.
    :param natural: How far from there the world has gone, in standard deviations.
    :param left: How far from there the numbers may be in the old unit.
    """

    mass: Mass
    spread: float | None
    natural: float
    left: float

    @classmethod
    def of(cls, mass: Mass, spread: float | None, natural: float) -> "Home":
        """Allow for as much in the old unit as is natural."""
        return cls(mass, spread, natural, max(FURTHER * natural, LEAST_LEFT))

    @property
    def jump(self) -> float:
        """How far from there a jump goes at least, in standard deviations."""
        return _jump(self.natural)


def _fits(usual: Usual, values: Numbers, now: Mass, spread: float, home: Home) -> list[Unit]:
    """Changes of unit that explain how far `values` are from home, and how they spread; nearest first."""
    jump = float(usual.apart(home.mass, now))
    if not jump > home.jump:
        return []
    units = [unit for unit in UNITS if _possible(usual, unit, spread, home)]
    left = {unit: float(usual.apart(home.mass, Mass.of(usual.cells, unit.back(values)))) for unit in units}
    most = min(max(home.left, SURELY * jump), LEFT * jump)
    return sorted((unit for unit in units if left[unit] <= most), key=lambda unit: left[unit])


def _possible(usual: Usual, unit: Unit, spread: float, home: Home) -> bool:
    if unit.offset and not usual.can_be_degrees:
        return False
    return home.spread is None or (min(spread, home.spread) > 0 and unit.explains(spread / home.spread))

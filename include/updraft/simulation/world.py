"""Rows, labels and when they arrive; and what any score is worth under the truth, which only the study knows."""

from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from updraft.partition import Partition, calendar
from updraft.simulation.scenario import Scenario
from updraft.simulation.study import CATEGORY, FINGERPRINT, NUMBERS, use_case

if TYPE_CHECKING:
    from pandas import DataFrame

Array = NDArray[np.float64]

PER_DAY = 200
BEFORE = 70
YEAR = 365
# Rows of a day share its luck: in what the features are, and in what comes true.
DAY_FEATURES, DAY_OUTCOME = 0.2, 0.25
LEVELS = ("east", "north", "south", "west")
INTERCEPT = -1.4
MEANING = np.array([1.0, 0.7, -0.6, 0.4, 0.0])
LATER = np.array([-0.2, 0.2, -0.6, 0.4, 0.9])
DEPOTS = np.array([-0.4, 0.0, 0.1, 0.5])
BROKEN = 0


@dataclass(frozen=True, eq=False)
class World:
    """A history to learn from and the days to live through, row by row.

    :param days: Partition of each day.
    :param rows: What was delivered: partition, parcel, features; `PER_DAY` rows a day, in order.
    :param probability: That a row comes true, given all its features and what they mean on its day (rows,).
    :param came_true: 0.0 or 1.0 (rows,).
    :param arrives: Number of the day at whose moment the label can be known (rows,).
    :param onset: Day on which the scenario's change begins.
    :param lag: A day's labels are mature at the moment of the day this many later.
    """

    scenario: Scenario
    seed: int
    days: tuple[Partition, ...]
    rows: "DataFrame"
    probability: Array
    came_true: Array
    arrives: NDArray[np.int64]
    onset: int
    lag: int

    @property
    def live(self) -> range:
        """The days to live through."""
        return range(BEFORE, len(self.days))

    @property
    def actionable(self) -> int:
        """First day at whose moment labels of the change are mature."""
        return self.onset + self.lag

    def labels(self, first: int, last: int, at: int) -> Array:
        """Labels of the rows of days `first` to `last`, as far as they are known on the day `at`; else nan."""
        own = span(first, last)
        return np.where(self.arrives[own] <= at, self.came_true[own], np.nan)

    def seen(self, first: int, last: int, at: int) -> bytes:
        """Digest of what is known of days `first` to `last` on the day `at`: rows, labels, and when these came.

        Worlds of one seed are the same until something happens in them, and again some time after it is over.
        """
        own = span(first, last)
        came = np.minimum(self.arrives[own], at + 1)
        known = blake2b(b"".join(self._deliveries[max(first, 0) : last + 1]))
        for part in (came, np.where(came <= at, self.came_true[own], -1.0)):
            known.update(part.tobytes())
        return known.digest()

    @cached_property
    def _deliveries(self) -> list[bytes]:
        """Digest of the rows of each day."""
        kinds = {name: self.rows[name].to_numpy() for name in (*NUMBERS, CATEGORY)}
        values = np.column_stack(
            [*(kinds[name] for name in NUMBERS), np.searchsorted(LEVELS, kinds[CATEGORY].astype(str))]
        )
        return [blake2b(values[span(day, day)].tobytes()).digest() for day in range(len(self.days))]

    def delivered(self, day: int, at: int) -> bool:
        """Whether any label of a day has come by the day `at`."""
        return bool((self.arrives[span(day, day)] <= at).any())

    def worth(self, scores: Array, own: slice) -> float:
        """Expected value per row of acting from the spec's threshold on."""
        return self._value(scores >= _threshold(), own)

    def oracle(self, own: slice) -> float:
        """Expected value per row of acting on the truth: no model can do better."""
        return self._value(self.probability[own] >= _threshold(), own)

    def _value(self, acts: NDArray[np.bool_], own: slice) -> float:
        value, p = use_case().problem.value, self.probability[own]
        if value is None:
            raise ValueError("the simulated use case declares a value matrix")
        acted = p * value.true_positive + (1 - p) * value.false_positive
        left = p * value.false_negative + (1 - p) * value.true_negative
        return float(np.where(acts, acted, left).mean())


def span(first: int, last: int) -> slice:
    """Rows of days `first` to `last`, both included."""
    return slice(max(first, 0) * PER_DAY, (last + 1) * PER_DAY)


def draw(scenario: Scenario, seed: int, *, years: int = 1) -> World:
    """Make a world: the same seed is the same luck in every scenario."""
    days, lag = _calendar(BEFORE + years * YEAR)
    rng = np.random.default_rng(seed)
    onset = BEFORE + int(rng.integers(90, 240))
    numbers, depot, luck = _features(rng, len(days))
    numbers += _moved(scenario, np.arange(len(days)), onset)[:, None, None]
    meaning = MEANING + _turned(scenario, np.arange(len(days)), onset)[:, None] * (LATER - MEANING)
    odds = INTERCEPT + np.einsum("drf,df->dr", numbers, meaning) + DEPOTS[depot]
    true = (rng.random(odds.shape) < _probability(odds + luck[:, None])).astype(float).ravel()
    arrives = _arrivals(scenario, rng, true, onset, lag)
    delivered = _broken(scenario, rng, numbers, onset)
    rows = _frame(days, delivered, depot)
    return World(scenario, seed, days, rows, _probability(odds).ravel(), true, arrives, onset, lag)


def _calendar(count: int) -> tuple[tuple[Partition, ...], int]:
    dates = calendar(use_case())
    days = tuple(dates.between(dates.first, dates.step(dates.first, count - 1)))
    mature = dates.last_mature(days[-1].as_of)
    if mature is None:
        raise ValueError("no label of the simulated use case ever matures")
    return days, len(days) - 1 - days.index(mature)


def _features(rng: np.random.Generator, days: int) -> tuple[Array, NDArray[np.int64], Array]:
    """Numbers (days, rows, features), depots (days, rows), and each day's luck with what comes true (days,)."""
    shared = np.zeros((days, len(NUMBERS)))
    fresh = rng.normal(0, DAY_FEATURES, shared.shape)
    for day in range(1, days):  # a day resembles the one before
        shared[day] = 0.5 * shared[day - 1] + fresh[day]
    numbers = shared[:, None, :] + rng.normal(0, 1, (days, PER_DAY, len(NUMBERS)))
    return numbers, rng.integers(0, len(LEVELS), (days, PER_DAY)), rng.normal(0, DAY_OUTCOME, days)


def _moved(scenario: Scenario, day: NDArray[np.int64], onset: int) -> Array:
    wave = np.sin(2 * np.pi * day / YEAR) + 0.2 * np.sin(2 * np.pi * day / 7)
    return np.asarray(scenario.season * wave + scenario.shift * (day >= onset))


def _turned(scenario: Scenario, day: NDArray[np.int64], onset: int) -> Array:
    """How much of the later meaning holds on each day, from 0 to 1."""
    if not scenario.turn:
        return np.zeros(len(day))
    return np.clip((day - onset + 1) / scenario.turn, 0, 1)


def _arrivals(scenario: Scenario, rng: np.random.Generator, true: Array, onset: int, lag: int) -> NDArray[np.int64]:
    day = np.repeat(np.arange(len(true) // PER_DAY), PER_DAY)
    out = (day >= onset) & (day < onset + scenario.outage)
    late = (true == 1) & (rng.random(len(true)) < scenario.late_positives)
    arrives = day + lag + np.where(late, rng.integers(1, 15, len(true)), 0)
    return np.asarray(np.where(out, np.maximum(arrives, onset + scenario.outage + lag), arrives))


def _broken(scenario: Scenario, rng: np.random.Generator, numbers: Array, onset: int) -> Array:
    """What was delivered, where the world was `numbers`."""
    delivered, own = numbers.copy(), slice(onset, onset + scenario.broken)
    feature = delivered[own, :, BROKEN]
    gone = rng.random(feature.shape) < 0.7
    delivered[own, :, BROKEN] = np.where(gone, np.nan, feature) if rng.random() < 0.5 else 32 + 1.8 * feature
    return delivered


def _frame(days: tuple[Partition, ...], numbers: Array, depot: NDArray[np.int64]) -> "DataFrame":
    import pandas as pd

    texts = {
        "partition": np.repeat(np.array([day.key for day in days], dtype=object), PER_DAY),
        "parcel": np.arange(depot.size).astype(str).astype(object),
        CATEGORY: np.array(LEVELS, dtype=object)[depot.ravel()],
        "fingerprint": np.full(depot.size, FINGERPRINT, dtype=object),
    }
    # As objects, names too: a look slices, sorts and counts them dozens of times, which arrow's strings make slow.
    objects = {name: pd.Series(values, dtype=object) for name, values in texts.items()}
    rows = pd.DataFrame(objects | {name: numbers[:, :, i].ravel() for i, name in enumerate(NUMBERS)})
    return rows.set_axis(rows.columns.astype(object), axis=1)


def _probability(log_odds: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-log_odds)))


def _threshold() -> float:
    return use_case().problem.threshold

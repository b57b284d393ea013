"""Metrics of the labels that arrived, weighed so that they speak for those that did not.

Each row counts as often as rows like it are rarer among the arrived: one over the share of such rows whose label is
there (Horvitz & Thompson, JASA 47, 1952). Rows are alike by what came true, by the champion's score, or by both. Labels
that never arrive are taken to be like those with the same score; where that is not so, nothing in the data can say it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from updraft.evidence.interval import Interval, interval
from updraft.evidence.metric import Array, Metric
from updraft.evidence.sampling import REPEATS, block_codes, critical, resamples, spread
from updraft.monitor.arrival import Arrivals, Dependence, by_outcome, by_score
from updraft.monitor.window import Window
from updraft.spec.model import UseCase

# Where fewer than this share arrive, each row would speak for so many that one of them decides the metric.
LEAST_SHARE = 0.1


@dataclass(frozen=True)
class Weighing:
    """What the arrival of labels depends on, and what to do about it.

    :param outcome: Whether labels are late by what they say; `None` where it does not matter.
    :param score: Whether labels never come by the champion's score; `None` where it does not matter.
    :param blind: Why no weight can make up for it; empty when one can.
    """

    outcome: Dependence | None = None
    score: Dependence | None = None
    blind: str = ""

    @property
    def needed(self) -> bool:
        """Whether the plain mean is not to be trusted."""
        return self.outcome is not None or self.score is not None

    @property
    def reason(self) -> str:
        """What is late; empty when nothing is."""
        named = {"outcome": self.outcome, "score": self.score}
        parts = [
            f"{found.shares.min():.0%} to {found.shares.max():.0%} by {name}"
            for name, found in named.items()
            if found is not None
        ]
        return f"labels do not arrive alike ({', '.join(parts)})" if parts else ""

    def cells(self, y: Array, score: Array) -> NDArray[np.intp]:
        """Number of the cell of each row: its groups by outcome and by score (n,)."""
        one = np.zeros(len(y), dtype=np.intp) if self.outcome is None else self.outcome.group(y)
        if self.score is None:
            return one
        return one * len(self.score.rows) + self.score.group(score)

    def weights(self) -> Array:
        """Weight of each cell."""
        late, came = (np.ones(1) if one is None else one.shares for one in (self.outcome, self.score))
        return np.asarray(1 / np.outer(late, came).reshape(-1))

    def drawn(self, rng: np.random.Generator, times: int) -> Array:
        """Weight of each cell, many times, as shares that the rows allow would give it (times, cells)."""
        late, came = (
            np.ones((times, 1)) if one is None else one.drawn(rng, times) for one in (self.outcome, self.score)
        )
        return np.asarray(1 / (late[:, :, None] * came[:, None, :]).reshape(times, -1))

    def taken(self, y: Array, score: Array) -> NDArray[np.intp]:
        """Positions of as many rows as the weighed ones are worth (Kish), heavy ones more often.

        They are taken at equal steps through each cell by score (systematic sampling, Madow & Madow, Annals of
        Mathematical Statistics 15, 1944): a draw with replacement would add as much chance as the rows have already,
        of which nothing that rests on them would know.
        """
        cells = self.cells(y, score)
        order = np.lexsort((score, cells))
        weights = self.weights()[cells[order]]
        count, reached = max(int(weights.sum() ** 2 / (weights**2).sum()), 1), weights.cumsum()
        steps = (np.arange(count) + 0.5) * reached[-1] / count
        return np.asarray(np.sort(order[np.searchsorted(reached, steps)]), dtype=np.intp)


AS_THEY_ARE = Weighing()


def weighing_of(window: Window) -> Weighing:
    """Find it out once for all measures of a look."""
    if "weighing" not in window.memo:
        window.memo["weighing"] = weighing(window.case, window.arrivals)
    found: Weighing = window.memo["weighing"]
    return found


def weighing(case: UseCase, arrivals: Arrivals | None) -> Weighing:
    """Find out on what the arrival of labels depends."""
    if arrivals is None or arrivals.complete:
        return AS_THEY_ARE
    late, never = by_outcome(arrivals, classes=case.problem.kind != "regression"), by_score(arrivals)
    found = Weighing(late if late and late.matters else None, never if never and never.matters else None)
    if late is None and found.score is not None:
        why = "and no cohort is old enough to tell whether by outcome too"
        return Weighing(found.outcome, found.score, f"{found.reason}, {why}")
    low = min((one.shares.min() for one in (found.outcome, found.score) if one is not None), default=1.0)
    blind = f"{found.reason}, too few for the rest to be made up for" if low < LEAST_SHARE else ""
    return Weighing(found.outcome, found.score, blind)


def weighed(
    metric: Metric, y: Array, p: Array, score: Array, blocks: NDArray[np.generic],
    how: Weighing, *, confidence: float, seed: int,
) -> Interval:  # fmt: skip
    """Return the metric with bounds that each hold with `confidence`; as `interval` where nothing is to be weighed.

    The bounds count that the shares behind the weights are themselves estimated.
    """
    if not how.needed:
        return interval(metric, y, p, blocks, confidence=confidence, seed=seed)
    if why := metric.undefined(y, p):
        return Interval(np.nan, np.nan, np.nan, why)
    days, cells = block_codes(blocks), how.cells(y, score)
    pairs, codes = np.unique(np.column_stack([days, cells]), axis=0, return_inverse=True)
    counted = metric.reweight(y, p, codes.reshape(-1))
    value = point(metric, y, p, score, how)
    partitions = int(days.max()) + 1
    rows = np.nan if metric.row_error is None else metric.row_error(y, p, None) * _design_effect(how.weights()[cells])
    reach = rows * critical(confidence, 1)
    if partitions > 1:
        times = resamples(partitions, seed)[:, pairs[:, 0]] * _drawn(how, partitions, seed)[:, pairs[:, 1]]
        reach = np.fmax(reach, spread(counted(times), partitions) * critical(confidence, partitions))
    if np.isnan(reach):
        return Interval(value, np.nan, np.nan, f"too few partitions or rows of a class to give {metric.name} bounds")
    low, high = np.clip([value - reach, value + reach], *metric.bounds)
    return Interval(value, float(low), float(high))


def point(metric: Metric, y: Array, p: Array, score: Array, how: Weighing) -> float:
    """Return the weighed metric, or nan where it is undefined."""
    if not how.needed or metric.undefined(y, p):
        return metric(y, p)
    cells = how.cells(y, score)
    return float(metric.reweight(y, p, cells)(how.weights()[None, : cells.max() + 1])[0])


def _design_effect(weights: Array) -> float:
    """How much further chance moves a weighed mean (Kish, Survey Sampling, 1965)."""
    return float(np.sqrt((weights**2).mean()) / weights.mean())


def _drawn(how: Weighing, partitions: int, seed: int) -> Array:
    """Weights of the cells for each of `resamples`: as the shares may be in the bootstrap, as they are after it."""
    after = np.tile(how.weights(), (partitions, 1))
    return np.vstack([how.drawn(np.random.default_rng(seed), REPEATS), after])

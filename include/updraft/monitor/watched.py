"""The metric a champion is judged by: as it is now, as it was on the holdout, and how much worse it may be."""

import math
from dataclasses import dataclass

from updraft.evidence.interval import Interval
from updraft.evidence.metrics import METRICS
from updraft.monitor.drift import Status

_CALLED = {"auc": "AUC", "macro_auc": "macro AUC", "rmse": "RMSE"}


@dataclass(frozen=True)
class Watched:
    """A metric now, held against the holdout's, which is taken as exact.

    :param max_drop: The most it may be worse: in units of the metric where higher is better, else a share of it.
    """

    metric: str
    now: Interval
    holdout: float
    max_drop: float

    @property
    def largest(self) -> float:
        """The most it may be worse, in units of the metric."""
        return self.max_drop if METRICS[self.metric].higher_is_better else self.max_drop * self.holdout

    @property
    def limit(self) -> float:
        """Where it begins to count as drifted."""
        allowed = max(self.largest, self.reach)
        return self.holdout - allowed if METRICS[self.metric].higher_is_better else self.holdout + allowed

    @property
    def reach(self) -> float:
        """How far chance moves it; bounds are cut to the metric's range, so the longer side is the true reach."""
        return max(self.now.value - self.now.low, self.now.high - self.now.value)

    def judge(self, rows: str) -> tuple[Status, str]:
        """Say whether it drifted, and why.

        :param rows: What it rests on, for the reason.
        """
        value, low, high, reach = self.now.value, self.now.low, self.now.high, self.reach
        up = METRICS[self.metric].higher_is_better
        worse, way = (self.holdout - value, "lower") if up else (value - self.holdout, "higher")
        called = _CALLED[self.metric]
        seen = f"{called} {value:.3f} ({low:.3f} to {high:.3f}, {rows}), holdout {self.holdout:.3f}"
        if math.isnan(worse + reach):
            return "unknown", f"{seen}: one of these is undefined"
        if worse < self.largest:
            return "ok", seen
        if worse < reach:
            return "unknown", f"{seen}: {worse:.3f} {way}, but chance alone moves it by {reach:.3f}"
        return "drifted", f"{seen}: {worse:.3f} {way}"

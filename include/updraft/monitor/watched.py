"""The metric a champion is judged by: as it is now, as it was on the holdout, and how much worse it may be."""

import math
from dataclasses import dataclass

from updraft.evidence.interval import Interval
from updraft.evidence.metrics import METRICS
from updraft.monitor.drift import Status

_CALLED = {"auc": "AUC", "macro_auc": "macro AUC", "rmse": "RMSE"}


@dataclass(frozen=True)
class Watched:
    """A metric now, held against the holdout's.

    A holdout has luck of its own, which a champion picked for it can only have had more of: what counts as worse is
    worse than what the holdout surely showed.

    :param max_drop: The most it may be worse: in units of the metric where higher is better, else a share of it.
    """

    metric: str
    now: Interval
    holdout: Interval
    max_drop: float

    @property
    def largest(self) -> float:
        """The most it may be worse, in units of the metric."""
        return self.max_drop if METRICS[self.metric].higher_is_better else self.max_drop * self.holdout.value

    @property
    def proven(self) -> float:
        """What the holdout surely showed: the worse of its bounds, where it has any."""
        bound = self.holdout.low if METRICS[self.metric].higher_is_better else self.holdout.high
        return self.holdout.value if math.isnan(bound) else bound

    @property
    def limit(self) -> float:
        """Where it begins to count as drifted."""
        if METRICS[self.metric].higher_is_better:
            return min(self.proven - self.largest, self.holdout.value - self.reach)
        return max(self.proven + self.largest, self.holdout.value + self.reach)

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
        worse, way = (self.holdout.value - value, "lower") if up else (value - self.holdout.value, "higher")
        surely = worse - abs(self.holdout.value - self.proven)
        called = _CALLED[self.metric]
        seen = f"{called} {value:.3f} ({low:.3f} to {high:.3f}, {rows}), holdout {self.holdout.value:.3f}"
        if abs(self.proven - self.holdout.value) > 0:
            seen += f" (at {'least' if up else 'most'} {self.proven:.3f})"
        if math.isnan(worse + reach):
            return "unknown", f"{seen}: one of these is undefined"
        if surely < self.largest:
            return "ok", seen
        if worse < reach:
            return "unknown", f"{seen}: {worse:.3f} {way}, but chance alone moves it by {reach:.3f}"
        return "drifted", f"{seen}: {worse:.3f} {way}"

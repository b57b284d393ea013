"""How well the champion probably does on rows whose labels have not come: metrics of labels that it would expect.

Classes: labels are drawn from the champion's probabilities, refitted to what came true last, and the metric is taken of
each draw. Its mean is the confidence-based estimate, and follows the mix of the rows (Bialek, Kuberski, Perrakis &
Bifet, "Estimating Model Performance Under Covariate Shift Without Labels", arXiv 2401.08348, section 4; Guillory et
al., ICCV 2021, for the idea). Numbers: errors are drawn in the size that a second model expects (`residuals`).

Both rest on one belief: that labels depend on the rows as they did where they came true last. A world that has turned
since then is not seen here; only the record of earlier estimates shows it (`estimation_record`).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from updraft.evidence.interval import Interval
from updraft.evidence.metric import Array, Metric
from updraft.evidence.metrics import METRICS
from updraft.evidence.sampling import critical
from updraft.monitor.recalibrated import design, probabilities, recalibrate
from updraft.monitor.residuals import residuals
from updraft.spec.model import UseCase

DRAWS = 60
# Rows beyond these are sampled: each draw ranks all of them.
MOST_ROWS = 20_000


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows that the champion answered for.

    :param p: Its predictions: probabilities (n,), of every class (n, k), or numbers (n,).
    :param blocks: Partition of each row (n,).
    :param x: What the size of an error may depend on, for regression (n, f).
    :param y: What came true (n,); `None` where that is not known yet.
    """

    p: Array
    blocks: NDArray[np.generic]
    x: Array
    y: Array | None = None

    def sampled(self, seed: int) -> "Rows":
        """At most `MOST_ROWS` of the rows, in their order."""
        if len(self.p) <= MOST_ROWS:
            return self
        at = np.sort(np.random.default_rng(seed).choice(len(self.p), MOST_ROWS, replace=False))
        return Rows(self.p[at], self.blocks[at], self.x[at], None if self.y is None else self.y[at])

    def ranked(self) -> "Rows":
        """The rows by ascending prediction, where there is one: an AUC of each draw sorts them again."""
        if self.p.ndim > 1:
            return self
        at = np.argsort(self.p, kind="stable")
        return Rows(self.p[at], self.blocks[at], self.x[at], None if self.y is None else self.y[at])


def estimate(case: UseCase, ahead: Rows, known: Rows, names: tuple[str, ...]) -> dict[str, Interval]:
    """Expect metrics of rows without labels.

    Bounds hold the chance of the labels still to come, that of those the fit rests on, and that partitions have a luck
    of their own; each holds with `gates.confidence`.

    :param known: Rows with labels, none of which the champion learnt from; at least one.
    :param names: Metrics to expect.
    """
    seed = case.model.seed
    ahead, known = ahead.sampled(seed).ranked(), known.sampled(seed)
    rng = np.random.default_rng(seed)
    labels = _labels(case, ahead, known, rng) if len(ahead.p) else np.empty((0, 0))
    sure = critical(case.gates.confidence, len(np.unique(known.blocks)))
    return {name: _expected(METRICS[name], ahead.p, labels, sure) for name in names}


def _labels(case: UseCase, ahead: Rows, known: Rows, rng: np.random.Generator) -> Array:
    """Labels that may come, in many ways, each from another value of what was fitted (ways, n)."""
    partitions = len(np.unique(ahead.blocks))
    if known.y is None:
        raise ValueError("rows that are known have labels")
    if case.problem.kind == "regression":
        how = {"partitions": partitions, "seed": case.model.seed, "threads": case.model.threads}
        fitted = residuals(known.x, known.y - known.p, known.blocks, ahead.x, **how)
        return np.array([fitted.draw(ahead.p, rng) for _ in range(DRAWS)])
    lines = recalibrate(known.p, known.y, known.blocks, ahead=partitions).draws(DRAWS, rng)
    x = design(ahead.p)
    if x.shape[1] == 2:
        from scipy.special import expit

        first = expit(lines @ (x[:, 0] - x[:, 1]).T)
        return np.asarray(rng.random(first.shape) > first, dtype=np.float64)
    return np.array([_classes(probabilities(x, at), rng) for at in lines])


def _classes(of: Array, rng: np.random.Generator) -> Array:
    """Draw a class per row from the probability of every class (n, k)."""
    return np.asarray((rng.random((len(of), 1)) > of.cumsum(axis=1)[:, :-1]).sum(axis=1), dtype=np.float64)


def _expected(metric: Metric, p: Array, labels: Array, sure: float) -> Interval:
    values = metric.each(labels, p)
    values = values[np.isfinite(values)]
    if len(values) <= DRAWS / 2:
        why = f"{metric.name} is undefined for the labels to be expected" if len(labels) else "no row was scored"
        return Interval(np.nan, np.nan, np.nan, why)
    value, reach = float(values.mean()), sure * float(values.std(ddof=1))
    low, high = np.clip([value - reach, value + reach], *metric.bounds)
    return Interval(value, float(low), float(high))

"""What a metric is: a number from outcomes and predictions, and the means to ask how far chance moves it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from updraft.spec.prediction import ProblemKind

Array = NDArray[np.float64]
Codes = NDArray[np.intp]
Loss = Callable[[Array, Array], Array]
Reweighted = Callable[[Array], Array]


def _never(_y: Array, _p: Array) -> str:
    return ""


@dataclass(frozen=True)
class Metric:
    """A metric of predictions `p` against outcomes `y` (n,).

    Binary: probabilities (n,) and 0.0 or 1.0; multiclass: a probability per class (n, k) and the position of the class;
    regression: numbers (n,) and numbers.

    :param name: Its name in specs, tables and reports.
    :param fn: `(y, p)` to the number, for rows it is defined on.
    :param higher_is_better: Which way is up.
    :param reweight: `(y, p, codes)`, with the block number of each row, to a function from block multiplicities
        (repeats, blocks) to the metric of each repeat (repeats,).
    :param row_error: `(y, p, reference or None)` to the standard error when rows are independent; the difference to
        the reference's metric when there is one. None where no such formula is known.
    :param needs: Outcomes that must be among `y`.
    :param per_row: `(y, p)` to a number per row (n,) with whose mean it rises; None where there is no such number.
    :param bounds: Smallest and largest value it can take.
    :param kinds: Kinds of problem it is for.
    :param unless: `(y, p)` to what else leaves it without a value; empty when nothing does.
    :param many: `(outcomes, p)`, with outcomes of the same rows in each of many ways (ways, n), to the metric of each
        (ways,), nan where undefined; for predictions (n,) that are numbers. None where one by one is as fast.
    """

    name: str
    fn: Callable[[Array, Array], float]
    higher_is_better: bool
    reweight: Callable[[Array, Array, Codes], Reweighted]
    row_error: Callable[[Array, Array, Array | None], float] | None = None
    per_row: Loss | None = None
    needs: tuple[float, ...] = ()
    bounds: tuple[float, float] = (0.0, 1.0)
    kinds: tuple[ProblemKind, ...] = ("binary",)
    unless: Callable[[Array, Array], str] = _never
    many: Callable[[Array, Array], Array] | None = None

    def each(self, outcomes: Array, p: Array) -> Array:
        """Return the metric of the same predictions against outcomes (ways, n), nan where undefined (ways,)."""
        if self.many is None or p.ndim > 1 or not len(p) or not np.isfinite(p).all():
            return np.array([self(y, p) for y in outcomes])
        return self.many(outcomes, p)

    def __call__(self, y: Array, p: Array) -> float:
        """Return the metric, or nan where `undefined` says why."""
        return float("nan") if self.undefined(y, p) else float(self.fn(y, p))

    def undefined(self, y: Array, p: Array) -> str:
        """Say why the metric has no value on these rows; empty when it has one."""
        if len(y) == 0:
            return f"{self.name} is undefined: there are no rows"
        if not np.isfinite(p).all():
            bad = int((~each_row(np.isfinite(p))).sum())
            return f"{self.name} is undefined: {bad} of {len(p)} predictions are not numbers"
        absent = [f"{outcome:g}" for outcome in self.needs if not (y == outcome).any()]
        why = f"no outcome is {' or '.join(absent)}" if absent else self.unless(y, p)
        return f"{self.name} is undefined: {why}" if why else ""


def each_row(fine: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which rows are fine, when every class of a row must be (n,)."""
    return fine if fine.ndim == 1 else np.asarray(fine.all(axis=1))


def every_class(y: Array, p: Array) -> str:
    """Say which class has no row; empty when each has one."""
    absent = [str(code) for code in range(p.shape[1]) if not (y == code).any()]
    return f"no outcome is class {' or '.join(absent[:10])}" if absent else ""


def spread(each: Array) -> float:
    """Return the standard error of the mean of a number per row; nan with fewer than two."""
    return float(each.std(ddof=1) / np.sqrt(len(each))) if len(each) > 1 else float("nan")


def mean(
    name: str,
    loss: Loss,
    *,
    higher_is_better: bool,
    bounds: tuple[float, float],
    kinds: tuple[ProblemKind, ...] = ("binary",),
) -> Metric:
    """Make a metric of the mean of a number per row, `loss(y, p)` (n,)."""

    def fn(y: Array, p: Array) -> float:
        return float(loss(y, p).mean())

    def reweight(y: Array, p: Array, codes: Codes) -> Reweighted:
        sums, rows = np.bincount(codes, loss(y, p)), np.bincount(codes)
        return lambda counts: np.asarray((counts @ sums) / (counts @ rows))

    def row_error(y: Array, p: Array, reference: Array | None) -> float:
        return spread(loss(y, p) if reference is None else loss(y, p) - loss(y, reference))

    def many(outcomes: Array, p: Array) -> Array:
        return np.asarray(loss(outcomes, p).mean(axis=1))

    return Metric(name, fn, higher_is_better, reweight, row_error, loss, bounds=bounds, kinds=kinds, many=many)

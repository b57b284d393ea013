"""What a metric is: a number from outcomes and probabilities, and the means to ask how far chance moves it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Codes = NDArray[np.intp]
Loss = Callable[[Array, Array], Array]
Reweighted = Callable[[Array], Array]


@dataclass(frozen=True)
class Metric:
    """A metric of probabilities `p` (n,) against outcomes `y` (n,) of 0.0 and 1.0.

    :param name: Its name in specs, tables and reports.
    :param fn: `(y, p)` to the number, for rows it is defined on.
    :param higher_is_better: Which way is up.
    :param reweight: `(y, p, codes)`, with the block number of each row, to a function from block multiplicities
        (repeats, blocks) to the metric of each repeat (repeats,).
    :param row_error: `(y, p, reference or None)` to the standard error when rows are independent; the difference to
        the reference's metric when there is one. None where no such formula is known.
    :param needs: Outcomes that must be among `y`.
    :param bounds: Smallest and largest value it can take.
    """

    name: str
    fn: Callable[[Array, Array], float]
    higher_is_better: bool
    reweight: Callable[[Array, Array, Codes], Reweighted]
    row_error: Callable[[Array, Array, Array | None], float] | None = None
    needs: tuple[float, ...] = ()
    bounds: tuple[float, float] = (0.0, 1.0)

    def __call__(self, y: Array, p: Array) -> float:
        """Return the metric, or nan where `undefined` says why."""
        return float("nan") if self.undefined(y, p) else float(self.fn(y, p))

    def undefined(self, y: Array, p: Array) -> str:
        """Say why the metric has no value on these rows; empty when it has one."""
        if len(y) == 0:
            return f"{self.name} is undefined: there are no rows"
        if not np.isfinite(p).all():
            return f"{self.name} is undefined: {int((~np.isfinite(p)).sum())} of {len(p)} probabilities are not numbers"
        absent = [f"{outcome:g}" for outcome in self.needs if not (y == outcome).any()]
        return f"{self.name} is undefined: no outcome is {' or '.join(absent)}" if absent else ""


def mean(name: str, loss: Loss, *, higher_is_better: bool, bounds: tuple[float, float]) -> Metric:
    """Make a metric of the mean of a number per row, `loss(y, p)` (n,)."""

    def fn(y: Array, p: Array) -> float:
        return float(loss(y, p).mean())

    def reweight(y: Array, p: Array, codes: Codes) -> Reweighted:
        sums, rows = np.bincount(codes, loss(y, p)), np.bincount(codes)
        return lambda counts: np.asarray((counts @ sums) / (counts @ rows))

    def row_error(y: Array, p: Array, reference: Array | None) -> float:
        each = loss(y, p) if reference is None else loss(y, p) - loss(y, reference)
        return float(each.std(ddof=1) / np.sqrt(len(each))) if len(each) > 1 else float("nan")

    return Metric(name, fn, higher_is_better, reweight, row_error, bounds=bounds)

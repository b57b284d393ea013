"""One model's metric with its bounds."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from updraft.evidence.metric import Array, Metric
from updraft.evidence.sampling import block_codes, critical, standard_error
from updraft.evidence.verdict import finite


@dataclass(frozen=True)
class Interval:
    """A metric and its one-sided bounds; all nan, and `why` says so, where it is undefined."""

    value: float
    low: float
    high: float
    why: str = ""

    def to_json(self) -> dict[str, float | str | None]:
        """Return plain JSON values; an undefined number is null."""
        numbers = {"value": finite(self.value), "low": finite(self.low), "high": finite(self.high)}
        return {**numbers, "why": self.why} if self.why else dict(numbers)

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Self:
        """Read what `to_json` returned."""
        value, low, high = (np.nan if found[name] is None else float(found[name]) for name in ("value", "low", "high"))
        return cls(value, low, high, str(found.get("why", "")))


def interval(
    metric: Metric, y: Array, p: Array, blocks: NDArray[np.generic], *, confidence: float, seed: int
) -> Interval:
    """Return the metric of one model with bounds that each hold with `confidence`, cut to the metric's range.

    :param blocks: Partition key of each row (n,).
    """
    if why := metric.undefined(y, p):
        return Interval(np.nan, np.nan, np.nan, why)
    codes = block_codes(blocks)
    reach = standard_error(metric, y, p, codes, confidence=confidence, seed=seed) * critical(
        confidence, int(codes.max()) + 1
    )
    value = metric(y, p)
    if np.isnan(reach):
        return Interval(value, np.nan, np.nan, f"too few partitions or rows of a class to give {metric.name} bounds")
    low, high = np.clip([value - reach, value + reach], *metric.bounds)
    return Interval(value, float(low), float(high))

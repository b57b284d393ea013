"""Two models on the same rows: how much better is one, and how sure is that?"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from updraft.evidence.metric import Array, Metric
from updraft.evidence.sampling import block_codes, critical, standard_error


@dataclass(frozen=True)
class Difference:
    """How much better the candidate is than the reference, in units of the metric; positive is better.

    :param metric: Name of the metric.
    :param candidate: The candidate's metric.
    :param reference: The reference's metric.
    :param difference: Oriented so that positive means the candidate is better.
    :param low: The difference is above it with `confidence` (one-sided).
    :param high: The difference is below it with `confidence` (one-sided).
    :param standard_error: How far chance moves the difference.
    :param confidence: One-sided confidence of either bound.
    :param n: Rows compared.
    :param positives: Rows among them that came true.
    :param blocks: Partitions among them.
    :param method: How the bounds were found, or why there are none.
    :param where: Which rows were compared, when not all.
    """

    metric: str
    candidate: float
    reference: float
    difference: float
    low: float
    high: float
    standard_error: float
    confidence: float
    n: int
    positives: int
    blocks: int
    method: str
    where: str = ""

    @property
    def subject(self) -> str:
        """What was compared, in words."""
        return f"{self.metric} where {self.where}" if self.where else self.metric


def compare(
    y: Array,
    candidate: Array,
    reference: Array,
    blocks: NDArray[np.generic],
    *,
    metric: Metric,
    confidence: float,
    seed: int,
    where: str = "",
) -> Difference:
    """Compare two models' probabilities on the same rows; bounds and their level: see `updraft.evidence.sampling`.

    :param blocks: Partition key of each row (n,).
    :return: Numbers are nan, and `method` says why, where the metric or its error is undefined.
    """
    why = metric.undefined(y, candidate) or metric.undefined(y, reference)
    codes = block_codes(blocks)
    count = int(codes.max()) + 1 if len(codes) else 0
    how: dict[str, Any] = {"reference": reference, "confidence": confidence, "seed": seed}
    error = np.nan if why else standard_error(metric, y, candidate, codes, **how)
    values = metric(y, candidate), metric(y, reference)
    gain = (values[0] - values[1]) * (1 if metric.higher_is_better else -1)
    reach = error * critical(confidence, count)
    return Difference(
        metric=metric.name,
        candidate=values[0],
        reference=values[1],
        difference=gain,
        low=gain - reach,
        high=gain + reach,
        standard_error=error,
        confidence=confidence,
        n=len(y),
        positives=int((y == 1).sum()),
        blocks=count,
        method=why or _method(error, count),
        where=where,
    )


def _method(error: float, blocks: int) -> str:
    if np.isnan(error):
        return "no bounds: too few partitions, or too few rows of a class"
    if blocks < 2:
        return "rows as independent; a single partition says nothing of how partitions differ"
    return "widest of independent rows, and of partition bootstrap and partition jackknife on Student's t"

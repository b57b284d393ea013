"""How far apart groups are in how often they are acted on, and how sure that is.

Three shares per group: of its rows (demographic parity asks these to be alike), of its rows that came true and of its
rows that did not (equalized odds asks both to be). A gap is the largest group's share less the smallest's. The gap of
a few noisy shares is never zero, so bounds are not those of the gap itself but of every pair of groups: the gap is
below its upper bound when every pair is, and above its lower bound when some pair is, which takes more evidence the
more pairs there are (Bonferroni). Source of the shares: Hardt, Price & Srebro, NeurIPS 2016.
"""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from updraft.evidence.metric import Array, Codes
from updraft.evidence.sampling import critical, resamples, spread
from updraft.evidence.slices import MISSING, Parted

RATES = {"demographic_parity": ("selection_rate",), "equalized_odds": ("true_positive_rate", "false_positive_rate")}
COUNTED = {
    "selection_rate": "rows",
    "true_positive_rate": "rows that came true",
    "false_positive_rate": "rows that did not come true",
}


@dataclass(frozen=True, eq=False)
class Shares:
    """Rows of each group that a share counts, and those among them that were acted on, by partition (blocks, groups).

    :param groups: Their names.
    """

    groups: tuple[str, ...]
    among: Array
    acted: Array

    @property
    def blocks(self) -> int:
        """Partitions."""
        return len(self.among)

    def of(self, counts: Array) -> Array:
        """Share per group when each partition is taken so often; nan where a group has no rows (repeats, groups)."""
        rows = counts @ self.among
        return np.asarray(np.divide(counts @ self.acted, rows, out=np.full(rows.shape, np.nan), where=rows > 0))

    def gaps(self, counts: Array) -> Array:
        """Largest share less the smallest, per repeat (repeats,)."""
        rates = self.of(counts)
        return np.asarray(rates.max(axis=1) - rates.min(axis=1))


@dataclass(frozen=True)
class Gap:
    """How far apart the groups are, with one-sided bounds; nan where they are unknown.

    :param highest: Group that is acted on most often.
    :param lowest: Group that is acted on least often.
    :param standard_error: The largest of any pair of groups.
    """

    value: float
    low: float
    high: float
    standard_error: float
    highest: str
    lowest: str


def shares(rate: str, y: Array, acted: NDArray[np.bool_], groups: Parted, codes: Codes) -> Shares:
    """Count what a rate needs; rows whose group is missing are in none.

    :param rate: A name of `COUNTED`.
    :param groups: The group of each row (n,).
    :param codes: Partition number of each row (n,).
    """
    asked = {"selection_rate": np.full(len(y), True), "true_positive_rate": y == 1, "false_positive_rate": y == 0}[rate]
    shape = (int(codes.max()) + 1, len(groups.names))
    kept = [place for place, name in enumerate(groups.names) if name != MISSING]

    def count(which: NDArray[np.bool_]) -> Array:
        cells = np.bincount((codes * shape[1] + groups.codes)[which], minlength=shape[0] * shape[1])
        return cells.reshape(shape)[:, kept].astype(np.float64)

    return Shares(tuple(groups.names[place] for place in kept), count(asked), count(asked & acted))


def apart(rate: str, y: Array, acted: NDArray[np.bool_], groups: Parted) -> float:
    """Measure how far apart the groups are, as fairlearn defines it; rows whose group is missing are in none."""
    from fairlearn import metrics

    mine = np.array([name != MISSING for name in groups.names])[groups.codes]
    told = metrics.MetricFrame(
        metrics=getattr(metrics, rate), y_true=y[mine], y_pred=acted[mine], sensitive_features=groups.codes[mine]
    )
    return float(told.difference(method="between_groups"))


def gap(found: Shares, *, confidence: float, seed: int) -> Gap:
    """Measure a gap with its bounds."""
    once = np.ones((1, found.blocks))
    rates, moved = found.of(once)[0], found.of(resamples(found.blocks, seed))
    pairs = list(combinations(range(len(rates)), 2))
    errors = np.array([_pair_error(found, rates, moved, pair, confidence) for pair in pairs])
    apart = np.array([abs(rates[a] - rates[b]) for a, b in pairs])
    surer = critical(1 - (1 - confidence) / (2 * len(pairs)), found.blocks)
    return Gap(
        value=float(rates.max() - rates.min()),
        low=float(np.clip((apart - errors * surer).max(), 0, 1)),
        high=float(np.clip((apart + errors * critical(confidence, found.blocks)).max(), 0, 1)),
        standard_error=float(errors.max()),
        highest=found.groups[int(rates.argmax())],
        lowest=found.groups[int(rates.argmin())],
    )


def gap_error(candidate: Shares, reference: Shares, *, seed: int) -> float:
    """Return the standard error of the difference between two models' gaps on the same rows."""
    counts = resamples(candidate.blocks, seed)
    return spread(candidate.gaps(counts) - reference.gaps(counts), candidate.blocks)


def _pair_error(found: Shares, rates: Array, moved: Array, pair: tuple[int, int], confidence: float) -> float:
    """Standard error of two groups' difference, with independent rows as the floor: see `updraft.evidence.sampling`."""
    a, b = pair
    rows = found.among.sum(axis=0)
    alone = np.sqrt(sum(rates[i] * (1 - rates[i]) / rows[i] for i in pair))
    floor = alone * critical(confidence, 1) / critical(confidence, found.blocks)
    return float(np.maximum(floor, spread(moved[:, a] - moved[:, b], found.blocks)))

"""How far chance alone moves a metric: its standard error, when rows of one partition share their luck.

Rows of one day have one weather and one mood of each model in common, so counting them as independent makes
differences look surer than they are. Three bounds are computed and the widest is taken:

- rows as independent (DeLong's formula for AUC, the spread of the rows' losses for means), on the normal;
- a bootstrap that draws whole partitions with replacement, widened by sqrt(B / (B - 1)) for B partitions;
- a jackknife that leaves out one partition at a time, which suffers less when partitions differ in size.

DeLong's formula alone is not enough: it is exact for rows that are independent, and a day's are not. It stays as the
floor: a few partitions that happen to agree prove little. With few partitions the percentiles of a bootstrap are too
narrow as well, so the bounds of the last two are the error times Student's t on B - 1 degrees of freedom.

Measured, with day effects of each model's own: of 2,000 pairs of equal models, 5 % asked for, rows alone promoted 12
to 14 % and the champion gate 4.3 to 4.9 % over 14 partitions, 14 to 17 % and 1.6 to 3.1 % over 5 (bench/aa_study.py).
Of 2,000 two-sided 95 % intervals of AUC, Brier score and log loss, as a whole and in a slice, 94.8 to 96.1 % held the
true difference over 14 and 28 partitions, 96.7 to 97.3 % over 7, 97.4 to 98.6 % over 5 (bench/coverage_study.py).

Partitions count as independent of each other. Days that resemble their neighbours make the bounds somewhat too narrow.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from updraft.evidence.metric import Array, Codes, Metric

REPEATS = 1000


def block_codes(blocks: NDArray[np.generic]) -> Codes:
    """Number the partitions of the rows from 0, in the order of their keys (n,)."""
    return np.asarray(np.unique(blocks, return_inverse=True)[1], dtype=np.intp).reshape(-1)


def standard_error(
    metric: Metric, y: Array, p: Array, codes: Codes, *, reference: Array | None = None, confidence: float, seed: int
) -> float:
    """Return the standard error of a metric, or of its difference to the reference's on the same rows.

    :param codes: Block number of each row, from `block_codes`.
    :param confidence: Of the one-sided bound, which lies `critical(confidence, blocks)` of these errors away; the
        formula for independent rows needs no Student's t, and is shrunk so that this gives its bound on the normal.
    :return: nan when nothing can be said: one partition and no formula, or too few rows of a class.
    """
    rows = np.nan if metric.row_error is None else metric.row_error(y, p, reference)
    blocks = int(codes.max()) + 1
    if blocks == 1:
        return float(rows)
    partitions = _between_partitions(metric, y, p, codes, reference, seed)
    floor = rows * critical(confidence, 1) / critical(confidence, blocks)
    return float(partitions if metric.row_error is None else np.maximum(floor, partitions))


def critical(confidence: float, blocks: int) -> float:
    """Return how many standard errors a one-sided bound lies away: Student's t, or the normal for a single block.

    >>> round(critical(0.95, 14), 2), round(critical(0.95, 1), 2)
    (1.77, 1.64)
    """
    from scipy.special import ndtri, stdtrit

    return float(stdtrit(blocks - 1, confidence) if blocks > 1 else ndtri(confidence))


def _between_partitions(metric: Metric, y: Array, p: Array, codes: Codes, reference: Array | None, seed: int) -> float:
    blocks = int(codes.max()) + 1
    counts = resamples(blocks, seed)
    moved = metric.reweight(y, p, codes)(counts)
    if reference is not None:
        moved = moved - metric.reweight(y, reference, codes)(counts)
    return spread(moved, blocks)


@lru_cache(maxsize=32)
def resamples(blocks: int, seed: int) -> Array:
    """How often each partition is drawn, by the bootstrap's repeats and then the jackknife's (any, blocks); read-only.

    Kept: a look at one partition asks for the same ones a dozen times, and drawing them costs more than using them.
    """
    drawn = np.random.default_rng(seed).multinomial(blocks, np.full(blocks, 1 / blocks), size=REPEATS)
    found = np.vstack([drawn, 1 - np.eye(blocks)])
    found.flags.writeable = False
    return found


def spread(moved: Array, blocks: int) -> float:
    """Return the standard error of a number from its values in `resamples`, nan where too few are defined."""
    if blocks < 2:
        return float("nan")
    bootstrap, jackknife = moved[:REPEATS], moved[REPEATS:]
    return float(np.maximum(_bootstrap_error(bootstrap, blocks), _jackknife_error(jackknife, blocks)))


def _bootstrap_error(repeats: Array, blocks: int) -> float:
    defined = repeats[np.isfinite(repeats)]
    if len(defined) < REPEATS / 2:
        return float("nan")
    return float(defined.std(ddof=1) * np.sqrt(blocks / (blocks - 1)))


def _jackknife_error(without: Array, blocks: int) -> float:
    # A class that lives in one partition alone leaves nan behind: such an error is unknown, not small.
    return float(np.sqrt((blocks - 1) / blocks * ((without - without.mean()) ** 2).sum()))

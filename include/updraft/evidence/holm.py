"""Many comparisons at once: the more one looks at, the more evidence it takes to call one of them worse."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from updraft.evidence.paired import Difference
from updraft.evidence.sampling import critical


def widened(differences: Sequence[Difference], margins: Sequence[float]) -> list[Difference]:
    """Widen the upper bounds, so that they call a candidate wrongly worse at most 1 - `confidence` of the time in all.

    The difference that looks worst must stand out from all m, the next from m - 1, up to the first that does not; so a
    bound below its `-margin` is Holm's rejection. Differences without bounds, or of a single partition, are left as
    they are and count for nothing. Source: Holm, Scandinavian Journal of Statistics 6 (1979).

    :param margins: How much worse each may be without being called worse.
    """
    found = list(differences)
    told = [i for i, one in enumerate(found) if np.isfinite(one.standard_error) and one.blocks > 1]
    worst_first = sorted(told, key=lambda i: _chance(found[i], margins[i]))
    left = len(told)
    for i in worst_first:
        one = found[i]
        found[i] = replace(one, high=one.difference + one.standard_error * _reach(one, left))
        left -= found[i].high < -margins[i]
    return found


def _reach(one: Difference, among: int) -> float:
    return critical(1 - (1 - one.confidence) / among, one.blocks)


def _chance(one: Difference, margin: float) -> float:
    """Probability of a difference this far below `-margin` when there is none."""
    from scipy.special import stdtr

    if one.standard_error == 0:
        return float(one.difference >= -margin)
    return float(stdtr(one.blocks - 1, (one.difference + margin) / one.standard_error))

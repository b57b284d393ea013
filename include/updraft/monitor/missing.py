"""Labels that are not there, and what a mean over all rows may be whatever they say.

Labels that come late are seldom like the rest, and how they differ is not to be seen in those that came. So the mean is
only known to lie between two ends: every missing row as far off as it can be, to one side or to the other (Manski,
American Economic Review 80, 1990). A class can be off by its whole probability. A number has no such end; missing rows
are taken to be off, on average, by no more than the row that was furthest off.
"""

from dataclasses import dataclass

from updraft.monitor.arrival import missing as missing_at_maturity
from updraft.monitor.conduct import off, right
from updraft.monitor.performance import predicted
from updraft.monitor.truth import Truth
from updraft.monitor.window import Window


@dataclass(frozen=True)
class Missing:
    """Mature rows without a label that should have one.

    :param share: Their share of the rows that should have one.
    :param least: What came true of them less what was predicted, on average, at the least.
    :param most: The same at the most.
    """

    share: float = 0.0
    least: float = 0.0
    most: float = 0.0

    def ends(self, low: float, high: float) -> tuple[float, float]:
        """Bounds of the mean over all rows, from bounds of the mean over those with a label."""
        known = 1 - self.share
        return known * low + self.share * self.least, known * high + self.share * self.most

    def sure(self, mean: float) -> float:
        """What is left of a mean whatever the missing rows say; 0 where they could turn it round.

        >>> Missing(0.1, -0.3, 0.7).sure(-0.2).__round__(3), Missing(0.1, -0.3, 0.7).sure(-0.05)
        (-0.11, 0.0)
        """
        low, high = self.ends(mean, mean)
        return max(low, 0.0) if mean > 0 else min(high, 0.0)


ALL_CAME = Missing()


def missing(window: Window, came: Truth) -> Missing:
    """Say how many labels of a look are missing, and how far off those rows can be.

    A row without a label may be one whose label is undefined by definition. Among the cohorts of `window.arrivals`
    these are told apart, in the look they are not, so the smaller of the two shares counts. Partitions without any
    label are left out, as they are of what came true.
    """
    case, share = window.case, missing_at_maturity(window.arrivals)
    if not share or not came.n:
        return ALL_CAME
    rows = window.matured[~window.matured["partition"].isin(list(came.silent))]
    rows = rows[rows[case.label.column].isna() & rows["score"].notna()]
    share = min(share, len(rows) / (len(rows) + came.n))
    if not share:
        return ALL_CAME
    if case.problem.kind == "regression":
        seen = off(case, came.y, came.predicted())
        return Missing(share, float(seen.min()), float(seen.max()))
    given = float(right(case, predicted(case, rows)).mean())
    return Missing(share, -given, 1 - given)

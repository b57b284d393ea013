"""What became of earlier estimates: how far they were off once the labels came, and what that makes of new ones."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from updraft.monitor.table import Measurement

ERROR = "estimate_error"
# Neighbouring looks share most of their partitions: fewer misses say nothing, and older ones say little of today.
LEAST, RECENT, KEPT = 3, 5, 20


@dataclass(frozen=True)
class Record:
    """Errors of the estimates about one champion, estimate less what came true, oldest first."""

    errors: tuple[float, ...]

    @property
    def mean_absolute(self) -> float:
        """How far estimates were off, on average; nan without one."""
        return float(np.abs(self.errors).mean()) if self.errors else math.nan

    @property
    def spread(self) -> float:
        """Root mean square of the errors; 0 while there are too few to say."""
        return float(np.sqrt(np.square(self.errors).mean())) if len(self.errors) >= LEAST else 0.0

    def bad(self, largest: float) -> str:
        """Say why estimates are not to be believed; empty when they are.

        :param largest: The drop they are to tell from none.
        """
        recent = Record(self.errors[-RECENT:])
        if len(recent.errors) < LEAST or recent.mean_absolute < largest:
            return ""
        return (
            f"estimates were off by {recent.mean_absolute:.3f} on average over the last {len(recent.errors)} looks, "
            f"and a drop of {largest:.3f} is what they should tell"
        )


def record(earlier: Sequence[Measurement], champion: str, now: float = math.nan) -> Record:
    """Errors on record about a champion, and that of this look.

    >>> record([], "c" * 64, 0.02).errors
    (0.02,)
    """
    own = about(earlier, champion)
    past = [m.value for m in earlier if m.metric == ERROR and m.subject == "all" and m.partition in own]
    found = [error for error in (*past, now) if not math.isnan(error)]
    return Record(tuple(found[-KEPT:]))


def error(earlier: Sequence[Measurement], champion: str, *, made: str, metric: str, realised: float) -> float:
    """Hold the estimate that was made at a partition against what came true of it; nan when there was none.

    :param metric: Name of the estimate.
    :param realised: The metric on the same partitions, of the same champion.
    """
    if made not in about(earlier, champion):
        return math.nan
    said = [m.value for m in earlier if (m.partition, m.metric, m.subject) == (made, metric, "all")]
    return said[-1] - realised if said else math.nan


def about(earlier: Sequence[Measurement], champion: str) -> set[str]:
    """Partitions in which a champion was measured: `scored` has its digest as the subject."""
    return {m.partition for m in earlier if m.metric == "scored" and m.subject == champion}

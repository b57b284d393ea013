"""How far the champion's scores moved, and how many rows it scored or refused."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from updraft.monitor.drift import SHARED, stability
from updraft.monitor.level import judge
from updraft.monitor.performance import numbered
from updraft.monitor.score_distance import Distance, distance
from updraft.monitor.table import Measurement, Status
from updraft.monitor.window import Window

# What a stability index of 0.2 comes to: of two normal laws that far apart in deviations, sqrt(0.2); of shares that far
# apart in Jensen-Shannon distance about sqrt(0.2 / (8 ln 2)).
_MATTERS = {"number": 0.45, "category": 0.19}


def measure(window: Window) -> list[Measurement]:
    """Drift of the scores, or of the predicted classes, and counts."""
    partition, profile = window.partition, window.profile
    scored = window.scores[window.scores["score"].notna()]
    given = scored["predicted" if profile.scores.kind == "category" else "score"].to_numpy()
    apart = _apart(window, given, numbered(scored))
    rows, refused = len(window.scores), len(window.scores) - len(given)
    return [
        _index(window, given),
        _distance(window, len(given), apart),
        Measurement(partition, "scored", window.champion, len(given), rows, "info"),
        Measurement(partition, "refused", window.champion, refused, rows, "info"),
    ]


def _index(window: Window, given: NDArray[np.generic]) -> Measurement:
    """The stability index, for who knows it by heart; it takes rows for independent, so it raises no alarm."""
    reference = window.profile.scores
    before = np.asarray(reference.counts)
    value = stability(before, reference.count(given)) if np.count_nonzero(before) > 1 else math.nan
    told: tuple[Status, str] = ("info", "rows taken as independent")
    if math.isnan(value):
        told = "unknown", "the window has no rows, or all rows of the reference are in one cell"
    elif len(given) < window.case.monitor.min_rows:
        told = "unknown", f"{len(given)} rows in the window, {window.case.monitor.min_rows} are needed"
    return Measurement(window.partition, "score_psi", "scores", value, len(given), *told)


def _apart(window: Window, given: NDArray[np.generic], partitions: NDArray[np.generic]) -> Distance | None:
    before = window.profile.conduct
    if before is None:
        return None
    how: dict[str, Any] = {"blocks": before.partitions, "alpha": SHARED, "seed": window.case.model.seed}
    return distance(before.scores, before.deviation, given, partitions, **how)


def _distance(window: Window, rows: int, found: Distance | None) -> Measurement:
    at, case = (window.partition, "score_distance", "scores"), window.case
    if found is None:
        return Measurement(*at, math.nan, rows, "unknown", "of the holdout it is not known")
    effect = case.monitor.outcomes.score_distance or _MATTERS[window.profile.scores.kind]
    # By the triangle inequality no window that chance could have given is further from the reference than this.
    low, high = max(found.value - found.chance, 0.0), found.value + found.chance
    limit = math.nan if math.isnan(found.chance) else max(effect, found.chance)
    status, reason = judge(found.value, found.chance, effect=effect), f"{found.value:.3g} from the holdout"
    reason = f"{reason}; chance alone moves it by {found.chance:.2g}"
    if rows < case.monitor.min_rows:
        status, reason = "unknown", f"{rows} rows in the window, {case.monitor.min_rows} are needed"
    return Measurement(*at, found.value, rows, status, reason, low, high, limit)

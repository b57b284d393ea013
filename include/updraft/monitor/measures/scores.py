"""How far the champion's scores moved, and how many rows it scored or refused."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from updraft.monitor.drift import ALPHA, Drift, drift
from updraft.monitor.level import judge
from updraft.monitor.measures.features import alpha
from updraft.monitor.performance import numbered
from updraft.monitor.score_distance import Distance, distance
from updraft.monitor.table import Measurement
from updraft.monitor.window import Window

# What a stability index of 0.2 comes to: of two normal laws that far apart in deviations, sqrt(0.2); of shares that far
# apart in Jensen-Shannon distance about sqrt(0.2 / (8 ln 2)).
_MATTERS = {"number": 0.45, "category": 0.19}


def measure(window: Window) -> list[Measurement]:
    """Drift of the scores, or of the predicted classes, and counts."""
    case, partition, profile = window.case, window.partition, window.profile
    scored = window.scores[window.scores["score"].notna()]
    given = scored["predicted" if profile.scores.kind == "category" else "score"].to_numpy()
    moved = drift(profile.scores, given, effect=case.monitor.psi, min_rows=case.monitor.min_rows, alpha=alpha(profile))
    apart = _apart(window, given, numbered(scored))
    rows, refused = len(window.scores), len(window.scores) - len(given)
    return [
        _index(partition, moved),
        _distance(window, len(given), apart),
        Measurement(partition, "scored", window.champion, len(given), rows, "info"),
        Measurement(partition, "refused", window.champion, refused, rows, "info"),
    ]


def _index(partition: str, moved: Drift) -> Measurement:
    """The stability index, for who knows it by heart; it takes rows for independent, so it raises no alarm."""
    status, why = ("unknown", moved.reason) if moved.status == "unknown" else ("info", "rows taken as independent")
    return Measurement(partition, "score_psi", "scores", moved.value, moved.m, status, why)  # type: ignore[arg-type]


def _apart(window: Window, given: NDArray[np.generic], partitions: NDArray[np.generic]) -> Distance | None:
    before = window.profile.conduct
    if before is None:
        return None
    how: dict[str, Any] = {"blocks": before.partitions, "alpha": ALPHA, "seed": window.case.model.seed}
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

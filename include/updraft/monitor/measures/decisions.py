"""How many rows the champion acts on, against its holdout, and how many it refuses to score."""

import math
from collections import Counter
from typing import Any

from updraft.monitor.drift import SHARED
from updraft.monitor.level import Level, judge, level, reach
from updraft.monitor.performance import numbered
from updraft.monitor.table import Measurement
from updraft.monitor.window import Window


def measure(window: Window) -> list[Measurement]:
    """Share of the scored rows acted on, and share of all rows refused."""
    scores = window.scores
    given = scores[scores["score"].notna()]
    acted = level(given["acted"].to_numpy(bool), numbered(given))
    refused = level(scores["score"].isna().to_numpy(bool), numbered(scores))
    return [_rate(window, acted), _refused(window, refused)]


def _rate(window: Window, now: Level | None) -> Measurement:
    at, limit = (window.partition, "decision_rate", "all"), window.case.monitor.outcomes.decision_rate
    before = None if window.profile.conduct is None else window.profile.conduct.acted
    if now is None:
        return Measurement(*at, math.nan, 0, "unknown", "no row was scored")
    low, high = now.bounds(window.case.gates.confidence, 0, 1)
    seen = f"{now.value:.1%} of {now.rows} rows acted on"
    bounds: dict[str, Any] = {"low": low, "high": high}
    if before is None:
        return Measurement(*at, now.value, now.rows, "unknown", f"{seen}, of the holdout it is not known", **bounds)
    away, chance = now.value - before.value, reach(now, before, alpha=SHARED)
    reason = f"{seen}, {before.value:.1%} on the holdout; chance alone moves it by {chance:.1%}"
    bounds["limit"] = before.value + math.copysign(max(limit, chance), away)
    if now.rows < window.case.monitor.min_rows:
        few = f"{now.rows} rows in the window, {window.case.monitor.min_rows} are needed"
        return Measurement(*at, now.value, now.rows, "unknown", few, **bounds)
    return Measurement(*at, now.value, now.rows, judge(away, chance, effect=limit), reason, **bounds)


def _refused(window: Window, now: Level | None) -> Measurement:
    at = window.partition, "refused_share", "all"
    if now is None:
        return Measurement(*at, math.nan, len(window.scores), "unknown", "there are too few rows")
    causes = Counter(window.scores["refused"].dropna() if "refused" in window.scores else ())
    reason = ", ".join(f"{cause} ({count} rows)" for cause, count in causes.most_common(10))
    low, high = now.bounds(window.case.gates.confidence, 0, 1)
    return Measurement(*at, now.value, now.rows, "info", reason, low=low, high=high)

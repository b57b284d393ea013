"""Do the champion's numbers still mean what they say, on what came true?

What is judged is calibration in the large: what came true less what was predicted, on average. How far it may be off
is said on the log-odds, so that it fits rare and frequent outcomes alike. Of several classes it is the probability that
acting is right. Of a number it is the mean error, which matters when it alone would raise the RMSE of the holdout by
`monitor.max_drop`. The slope and the expected calibration error have no meaning there.

A gap that labels which have not come could explain is no alarm, whatever they may say. The slope needs no such care:
labels that come late by what they say bend the intercept and not the slope of a logistic regression (Prentice & Pyke,
Biometrika 66, 1979).
"""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from updraft.evidence import recalibration
from updraft.evidence.interval import interval
from updraft.evidence.metric import Array
from updraft.evidence.metrics import METRICS
from updraft.evidence.sampling import critical
from updraft.monitor.conduct import off, right
from updraft.monitor.drift import SHARED
from updraft.monitor.level import Level, judge, level, reach, widened
from updraft.monitor.missing import missing
from updraft.monitor.table import Measurement, Status
from updraft.monitor.truth import Truth, truth
from updraft.monitor.window import Window

NOUGHT = Level(0.0, 0.0, 1, 0)


def measure(window: Window) -> Iterator[Measurement]:
    """Gap between what came true and what was predicted; of probabilities also slope and expected error."""
    came = truth(window)
    predicted = came.predicted()
    given = right(window.case, predicted)
    yield _gap(window, came, level(off(window.case, came.y, predicted), came.blocks), given)
    if window.case.problem.kind != "regression":
        yield _slope(window, came, given)
        yield _error(window, came, given)


def _gap(window: Window, came: Truth, now: Level | None, given: Array) -> Measurement:
    at, before = (window.partition, "calibration_gap", "all"), window.profile.conduct
    if now is None:
        return Measurement(*at, math.nan, came.n, "unknown", came.blind or "there are too few rows")
    held = None if before is None else before.gap
    chance = reach(now if held is None else widened(now, held), NOUGHT, alpha=SHARED)
    limit = _matters(window, given, now.value)
    low, high = now.bounds(window.case.gates.confidence)
    told = f"{came.y.mean():.3g}" if window.case.problem.kind == "regression" else f"{came.came.mean():.1%}"
    then = "" if held is None else f" ({held.value:+.3g} on the holdout)"
    reason = f"{told} came true, {now.value:+.3g} from what was predicted{then}; chance alone moves it by {chance:.2g}"
    bounds: dict[str, Any] = {"low": low, "high": high, "limit": math.copysign(max(limit, chance), now.value)}
    if came.blind:
        return Measurement(*at, now.value, now.rows, "unknown", came.blind, **bounds)
    status, untold = judge(now.value, chance, effect=limit), missing(window, came)
    if untold.share:
        least, most = untold.ends(low, high)
        bounds |= {"low": min(low, least), "high": max(high, most)}
        reason += f"; {untold.share:.1%} of the labels are missing"
        if status == "drifted" and judge(untold.sure(now.value), chance, effect=limit) != "drifted":
            status, reason = "unknown", f"{reason}, and could explain it"
    return Measurement(*at, now.value, now.rows, status, reason, **bounds)


def _matters(window: Window, given: Array, gap: float) -> float:
    """Gap from which it matters, in its own units."""
    if window.case.problem.kind == "regression":
        return math.sqrt((1 + window.case.monitor.max_drop) ** 2 - 1) * window.holdout.value
    shift = math.copysign(window.case.monitor.outcomes.calibration_intercept, gap)
    moved = 1 / (1 + np.exp(-np.clip(recalibration.log_odds(given) + shift, -500, 500)))
    return abs(float(np.mean(moved - given)))


def _slope(window: Window, came: Truth, given: Array) -> Measurement:
    at, limit = (window.partition, "calibration_slope", "all"), window.case.monitor.outcomes.calibration_slope
    rows = came.came.astype(float), given, came.blocks
    sure, told = 1 - SHARED / 2, window.case.gates.confidence
    now = recalibration.slope(*rows, confidence=told)
    if came.blind or now.why:
        return Measurement(*at, now.value, came.n, "unknown", came.blind or now.why, low=now.low, high=now.high)
    blocks, away = int(came.blocks.max()) + 1, now.value - 1
    chance = (now.high - now.value) * critical(sure, blocks) / critical(told, blocks)
    how = "too sure of itself" if away < 0 else "not sure enough"
    reason = f"slope {now.value:.2f}, 1 is right and less is too sure; chance alone moves it by {chance:.2f}"
    status = judge(away, chance, effect=limit)
    bounds: dict[str, Any] = {"low": now.low, "high": now.high, "limit": 1 + math.copysign(max(limit, chance), away)}
    return Measurement(*at, now.value, came.n, status, f"{how}: {reason}" if status == "drifted" else reason, **bounds)


def _error(window: Window, came: Truth, given: Array) -> Measurement:
    how: dict[str, Any] = {"confidence": window.case.gates.confidence, "seed": window.case.model.seed}
    rows = came.came.astype(float), given, came.blocks
    now = interval(METRICS["calibration_error"], *rows, **how)
    at = window.partition, "calibration_error", "all"
    status: Status = "unknown" if math.isnan(now.value) else "info"
    return Measurement(*at, now.value, came.n, status, now.why or came.blind, low=now.low, high=now.high)

"""How far the champion's mean reasons moved: which features push its scores another way than on its holdout."""

import math
from typing import TYPE_CHECKING

import numpy as np

from updraft.model.model import Model
from updraft.monitor.conduct import Conduct, explained
from updraft.monitor.drift import ALPHA
from updraft.monitor.level import Level, judge, reach
from updraft.monitor.table import Measurement
from updraft.monitor.window import Window

if TYPE_CHECKING:
    from pandas import DataFrame


def measure(window: Window) -> list[Measurement]:
    """Shift of every feature's mean contribution, in standard deviations of the scores' log-odds on the holdout.

    It rests on a sample of the rows (`conduct.EXPLAINED`). The chance of a false alarm is shared among the features.
    """
    model, before = window.model, window.profile.conduct
    if model is None or before is None or not before.weight:
        return [_unknown(window, "features", _why(model, before))]
    rows = _scorable(window, model)
    now, _ = explained(model, rows, seed=window.case.model.seed)
    if not now:
        return [_unknown(window, "features", "no row of the window is of the champion's feature definition")]
    return [_shift(window, name, one, before) for name, one in now.items()]


def _shift(window: Window, name: str, now: Level, before: Conduct) -> Measurement:
    if name not in before.reasons:
        return _unknown(window, name, "its mean contribution on the holdout is not known")
    was, limit = before.reasons[name], window.case.monitor.outcomes.reason_shift
    away = (now.value - was.value) / before.weight
    chance = reach(now, was, alpha=ALPHA / len(before.reasons)) / before.weight
    shown = reach(now, was, alpha=2 * (1 - window.case.gates.confidence)) / before.weight
    told = f"mean contribution {now.value:+.3f}, {was.value:+.3f} on the holdout"
    reason = f"{told}; chance alone moves the shift by {chance:.2g}"
    bounds = {"low": away - shown, "high": away + shown, "limit": math.copysign(max(limit, chance), away)}
    status = judge(away, chance, effect=limit)
    return Measurement(window.partition, "reason_shift", name, away, now.rows, status, reason, **bounds)


def _scorable(window: Window, model: Model) -> "DataFrame":
    """Rows the champion could score: of its feature definition, without an infinite number."""
    rows = window.features
    if "fingerprint" in rows:
        rows = rows[rows["fingerprint"] == model.manifest.fingerprint]
    numbers = [name for name, kind in model.manifest.features if kind == "number"]
    return rows[~np.isinf(rows[numbers].to_numpy(float)).any(axis=1)]


def _why(model: Model | None, before: Conduct | None) -> str:
    if model is None:
        return "the champion is not at hand"
    return "the champion's mean reasons on its holdout are not known" if before is None else "its scores never vary"


def _unknown(window: Window, subject: str, why: str) -> Measurement:
    return Measurement(window.partition, "reason_shift", subject, math.nan, 0, "unknown", why)

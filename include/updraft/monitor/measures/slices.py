"""How well the champion does on every declared slice, on what came true, against its holdout."""

import math
from collections.abc import Iterator
from typing import Any

from updraft.evidence.metric import Array
from updraft.evidence.metrics import METRICS
from updraft.evidence.sampling import block_codes
from updraft.evidence.slices import Slice
from updraft.monitor import parts
from updraft.monitor.conduct import measured
from updraft.monitor.level import Level, judge, reach
from updraft.monitor.performance import WATCHED
from updraft.monitor.table import Measurement
from updraft.monitor.truth import Truth, truth
from updraft.monitor.window import Window


def measure(window: Window) -> Iterator[Measurement]:
    """What is watched of performance, for every slice of `gates.slices`; one with too few rows is unknown."""
    slices, before = window.case.gates.slices, window.profile.conduct
    if slices.empty:
        return
    came = truth(window)
    fixed = parts.with_edges(slices, before.edges if before else {})
    found = parts.named(came.rows, fixed, before.slices if before else ())
    predicted = came.predicted()
    for one in found:
        yield _judged(window, came, one, predicted, len(found))


def _judged(window: Window, came: Truth, one: Slice, predicted: Array, looks: int) -> Measurement:
    name = WATCHED[window.case.problem.kind][0]
    at, least = (window.partition, f"slice_{name}", one.name), window.case.gates.slices.min_rows
    if came.blind or one.rows < least:
        why = came.blind or f"{one.rows} labelled rows, {least} are needed"
        return Measurement(*at, math.nan, one.rows, "unknown", why)
    y, p, blocks = came.y[one.at], predicted[one.at], came.blocks[one.at]
    now = measured(window.case, name, y, p, block_codes(blocks))
    if now is None:
        why = METRICS[name].undefined(y, p) or "too few partitions or rows of a class"
        return Measurement(*at, METRICS[name](y, p), one.rows, "unknown", why)
    low, high = now.bounds(window.case.gates.confidence, *METRICS[name].bounds)
    bounds: dict[str, Any] = {"low": low, "high": high}
    before = None if window.profile.conduct is None else window.profile.conduct.slices.get(one.name)
    if before is None:
        return Measurement(*at, now.value, now.rows, "info", "of the holdout it is not known", **bounds)
    return _against(window, now, before, at, bounds, looks)


def _against(
    window: Window, now: Level, before: Level, at: tuple[str, str, str], bounds: dict[str, Any], looks: int
) -> Measurement:
    """Hold a slice against the holdout; judged only where the spec says from where on a loss matters."""
    up, limit = METRICS[at[1].removeprefix("slice_")].higher_is_better, window.case.monitor.outcomes.slice_drop
    worse = before.value - now.value if up else now.value - before.value
    # The slices share the chance of a false alarm among them (Bonferroni).
    chance = reach(now, before, alpha=2 * (1 - window.case.gates.confidence) / looks)
    reason = f"{now.value:.3g}, {before.value:.3g} on the holdout; chance alone moves it by {chance:.2g}"
    if limit is None:
        return Measurement(*at, now.value, now.rows, "info", reason, **bounds)
    effect = limit if up else limit * before.value
    allowed = max(effect, chance)
    status = "ok" if worse <= 0 else judge(worse, chance, effect=effect)
    bounds["limit"] = before.value - allowed if up else before.value + allowed
    return Measurement(*at, now.value, now.rows, status, reason, **bounds)

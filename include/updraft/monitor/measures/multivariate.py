"""Whether the features moved together in a way that a classifier can tell."""

import math
from typing import TYPE_CHECKING

from updraft.monitor.drift import SHARED, Status
from updraft.monitor.measures.features import first_ten
from updraft.monitor.measures.feed import broken
from updraft.monitor.table import Measurement
from updraft.monitor.told_apart import FEWEST_RUNS, ToldApart, effect, sample, told_apart
from updraft.monitor.window import Window

if TYPE_CHECKING:
    from pandas import DataFrame

# AUC of a classifier that guesses.
GUESS = 0.5


def measure(window: Window) -> list[Measurement]:
    """AUC of a classifier that tells the window from the champion's own windows, with an interval over partitions."""
    where, n = (window.partition, "multivariate_drift", "features"), len(window.features)
    model, reference = window.model, window.reference_rows
    if model is None or reference is None:
        return [Measurement(*where, math.nan, n, "unknown", "the champion or the rows it learnt from are not at hand")]
    if why := _unknown(window, model.manifest.fingerprint, reference):
        return [Measurement(*where, math.nan, n, "unknown", why)]
    hidden = broken(window)
    known = window.profile.told_apart if not hidden and _as_kept(window, reference) else ()
    seen = told_apart(model.encoder, reference, sample(window.features), SHARED / 2, without=hidden, known=known)
    limit = max(effect(window.case.monitor.psi), seen.limit(SHARED))
    moved = seen.auc.value >= limit and not seen.auc.low <= GUESS
    status: Status = "drifted" if moved else "ok"
    low, high, reason = seen.auc.low, seen.auc.high, _reason(seen, limit)
    return [Measurement(*where, seen.auc.value, n, status, reason, low=low, high=high, limit=limit)]


def _as_kept(window: Window, rows: "DataFrame") -> bool:
    """Whether the runs of the reference are as long as those of which is kept how easily they are told apart."""
    return bool(rows["partition"].nunique() == window.profile.run_width * rows["run"].nunique())


def _unknown(window: Window, fingerprint: str, rows: "DataFrame") -> str:
    n, fewest = len(window.features), window.case.monitor.min_rows
    if n < fewest:
        return f"{n} rows in the window, {fewest} are needed"
    if (count := rows["run"].nunique()) < FEWEST_RUNS:
        return f"the reference has {count} windows as long as this one, {FEWEST_RUNS} are needed"
    if {*rows["fingerprint"].unique()} | {*window.features["fingerprint"].unique()} != {fingerprint}:
        return "the rows the champion learnt from were built again by another definition"
    return ""


def _reason(seen: ToldApart, limit: float) -> str:
    usual = f"{min(seen.usual):.2f} to {max(seen.usual):.2f}"
    return (
        f"a classifier tells the window from the reference with AUC {seen.auc.value:.2f} ({seen.auc.low:.2f} to "
        f"{seen.auc.high:.2f}); limit {limit:.2f}, as windows of the reference are told apart with {usual}; "
        f"it goes by {first_ten(seen.by[:3])}"
    )

"""How well the champion probably does before its labels come, and how far earlier estimates were off."""

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from updraft.evidence.interval import Interval
from updraft.evidence.metrics import METRICS
from updraft.evidence.sampling import critical
from updraft.monitor.drift import Status
from updraft.monitor.estimation import Rows, estimate
from updraft.monitor.estimation_record import ERROR, Record, error, record
from updraft.monitor.performance import WATCHED, complete, numbered, predicted, too_few
from updraft.monitor.table import Measurement
from updraft.monitor.truth import truth
from updraft.monitor.watched import Watched
from updraft.monitor.weighing import point, weighing_of
from updraft.monitor.window import Window

if TYPE_CHECKING:
    from pandas import DataFrame


_NOTHING = "no label is known of a row it did not learn from"


def measure(window: Window) -> list[Measurement]:
    """Estimates of the watched metrics over the scored rows of the window, and their record."""
    watched = WATCHED[window.case.problem.kind]
    missed = _error(window, watched[0])
    past = record(window.earlier, window.champion, missed.value)
    off = Measurement(
        window.partition, "estimate_mae", "all", past.mean_absolute, len(past.errors),
        "unknown" if math.isnan(past.mean_absolute) else "info",
        f"over the last {len(past.errors)} looks" if past.errors else "no estimate has met its labels yet",
    )  # fmt: skip
    return [*_estimates(window, watched, past), missed, off]


def _estimates(window: Window, watched: tuple[str, ...], past: Record) -> list[Measurement]:
    case, known = window.case, _known(window)
    names = _features(window, known)
    scored = _scored(window, names)
    found = dict.fromkeys(watched, Interval(math.nan, math.nan, math.nan, _NOTHING))
    if len(known):
        found = estimate(case, _rows(window, scored, names), _rows(window, known, names, truth=True), watched)
    headline = watched[0]
    found[headline] = _widened(found[headline], headline, past.spread * critical(case.gates.confidence, 1))
    judged = Watched(headline, found[headline], window.holdout, case.monitor.max_drop)
    status, reason = _judged(window, judged, known, len(scored), past)
    return [
        Measurement(
            window.partition, f"estimated_{name}", "all", each.value, len(scored),
            status if name == headline else "unknown" if math.isnan(each.value) else "info",
            reason if name == headline else each.why,
            low=each.low, high=each.high, limit=judged.limit if name == headline else math.nan,
        )
        for name, each in found.items()
    ]  # fmt: skip


def _scored(window: Window, names: list[str]) -> "DataFrame":
    """Rows that were not refused, with the features that the size of their error may depend on."""
    scored = window.scores[window.scores["score"].notna()]
    if not names:
        return scored
    by = ["partition", *window.case.entity]
    return scored.merge(window.features[[*by, *names]], on=by, how="left", validate="one_to_one")


def _known(window: Window) -> "DataFrame":
    """Labelled rows; where labels do not arrive alike, each as often as it has to speak for others."""
    known = complete(window.case, window.matured if window.known is None else window.known)
    how = weighing_of(window)
    if not how.needed or not len(known):
        return known
    y, score = known[window.case.label.column].to_numpy(float), known["score"].to_numpy(float)
    return known.iloc[how.taken(y, score)]


def _features(window: Window, known: "DataFrame") -> list[str]:
    """Names of the features that the champion sees, where it is at hand and predicts numbers."""
    if window.case.problem.kind != "regression" or window.model is None:
        return []
    names = [name for name, _ in window.model.manifest.features]
    return names if set(names) <= {*window.features.columns} & {*known.columns} else []


def _judged(window: Window, watched: Watched, known: "DataFrame", scored: int, past: Record) -> tuple[Status, str]:
    case = window.case
    if watched.now.why:
        return "unknown", watched.now.why
    days = sorted(set(known["partition"]))
    rests = f"{scored} rows; calibrated on {len(known)} labels of {len(days)} partitions up to {days[-1]}"
    status, reason = watched.judge(rests)
    blind = too_few(case, known[case.label.column].to_numpy(float)) or past.bad(watched.largest)
    if scored < case.monitor.min_rows:
        blind = f"{scored} scored rows, {case.monitor.min_rows} are needed"
    return ("unknown", f"{blind}; estimated {reason}") if blind else (status, f"estimated {reason}")


def _widened(found: Interval, metric: str, least: float) -> Interval:
    """An estimate is no surer than its record: bounds at least that far away, cut to the metric's range."""
    low, high = np.clip([found.value - least, found.value + least], *METRICS[metric].bounds)
    return replace(found, low=float(np.minimum(found.low, low)), high=float(np.maximum(found.high, high)))


def _rows(window: Window, rows: "DataFrame", names: list[str], *, truth: bool = False) -> Rows:
    answer = predicted(window.case, rows)
    seen = window.model.encoder.matrix(rows) if window.model and names else np.empty((len(rows), 0))
    return Rows(
        p=answer,
        blocks=numbered(rows),
        x=np.column_stack([answer, seen]),
        y=rows[window.case.label.column].to_numpy(float) if truth else None,
    )


def _error(window: Window, metric: str) -> Measurement:
    """What the estimate made at the newest mature partition said, less what came true of the same partitions."""
    name, came = f"estimated_{metric}", truth(window)
    made = str(window.matured["partition"].max()) if len(window.matured) else ""
    if came.silent or not came.n:
        why = "labels are missing" if came.silent else "no label is mature yet"
        return Measurement(window.partition, ERROR, "all", math.nan, came.n, "unknown", why)
    score = came.rows["score"].to_numpy(float)
    realised = point(METRICS[metric], came.y, came.predicted(), score, weighing_of(window))
    off = error(window.earlier, window.champion, made=made, metric=name, realised=realised)
    if math.isnan(off):
        why = f"no estimate of these partitions was made at {made}"
        return Measurement(window.partition, ERROR, "all", math.nan, came.n, "unknown", why)
    why = f"at {made} it was estimated {realised + off:.3f}, and came out {realised:.3f}"
    return Measurement(window.partition, ERROR, "all", off, came.n, "info", why)

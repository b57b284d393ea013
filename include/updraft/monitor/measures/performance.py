"""How well the champion did on what came true, and how many labels that rests on."""

import math

from updraft.monitor.performance import WATCHED, performance
from updraft.monitor.table import Measurement
from updraft.monitor.weighing import weighing_of
from updraft.monitor.window import Window


def measure(window: Window) -> list[Measurement]:
    """Performance on matured labels, and counts of these."""
    how = weighing_of(window)
    done = performance(window.case, window.matured, window.waiting, holdout=window.holdout, how=how)
    headline, found = WATCHED[window.case.problem.kind][0], []
    for name, estimate in done.estimates.items():
        judged = name == headline
        status = done.status if judged else "unknown" if math.isnan(estimate.value) else "info"
        reason, limit = (done.reason, done.limit) if judged else (estimate.why, math.nan)
        bounds = {"low": estimate.low, "high": estimate.high, "limit": limit}
        found.append(Measurement(window.partition, name, "all", estimate.value, done.n, status, reason, **bounds))
    labels = {"labelled": done.n, "positive": done.positives, "undefined": done.undefined, "missing": done.missing}
    rows = done.n + done.undefined + done.missing
    return found + [
        Measurement(window.partition, "labels", kind, count, rows, "info") for kind, count in labels.items()
    ]

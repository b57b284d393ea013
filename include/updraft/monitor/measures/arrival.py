"""When labels arrive, by age of their partition, and whether it depends on the outcome or on the score."""

import math

from updraft.monitor.arrival import Dependence, by_outcome, by_score, curve
from updraft.monitor.table import Measurement
from updraft.monitor.window import Window


def measure(window: Window) -> list[Measurement]:
    """Share of labels that arrived by each age, and by how much it differs between outcomes and between scores."""
    if window.arrivals is None or not len(window.arrivals.rows):
        return []
    case, arrivals = window.case, window.arrivals
    found = [
        Measurement(
            window.partition, "label_arrival", str(each.age), each.share, each.n, "info",
            f"{each.cohorts} partitions" + (", the age at which labels count" if each.age == arrivals.mature else ""),
            low=each.low, high=each.high,
        )
        for each in curve(arrivals, confidence=case.gates.confidence, seed=case.model.seed)
    ]  # fmt: skip
    late = by_outcome(arrivals, classes=case.problem.kind != "regression")
    return [*found, _gap(window, "outcome", late), _gap(window, "score", by_score(arrivals))]


def _gap(window: Window, subject: str, found: Dependence | None) -> Measurement:
    what = (window.partition, "arrival_gap", subject)
    if found is None or not found.rows.sum():
        why = "no cohort is old enough" if subject == "outcome" else "the champion scored no cohort that is old enough"
        return Measurement(*what, math.nan, 0, "unknown", why)
    shares = ", ".join(f"{share:.1%} of {n}" for share, n in zip(found.shares, found.rows, strict=True))
    reason = f"{'weighed' if found.matters else 'no more than chance, or too little to matter'}: {shares}"
    return Measurement(*what, found.gap, int(found.rows.sum()), "info", reason[:500])

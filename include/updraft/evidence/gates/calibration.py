"""Do the probabilities mean what they say? Calibration error, slope and intercept within `gates.calibration`.

Each has bounds that allow for whole partitions rising and falling together. All bounds within the limits is a PASS, a
limit beyond a bound is a FAIL. In between the rows cannot tell, and that is INSUFFICIENT.
"""

import math

from updraft.evidence import recalibration
from updraft.evidence.evidence import Evidence
from updraft.evidence.interval import Interval, interval
from updraft.evidence.metrics import METRICS
from updraft.evidence.verdict import Outcome, Verdict, merge
from updraft.spec.checks import Calibration
from updraft.spec.model import UseCase


def gate(evidence: Evidence, case: UseCase) -> Verdict | None:
    """Demand that error, slope and intercept lie within the limits, bounds and all; None where y is no yes or no."""
    if case.problem.kind != "binary":
        return None
    if shortage := evidence.shortage(case):
        return Verdict("calibration", "INSUFFICIENT", shortage, {"rows": len(evidence.y), "rarer": evidence.rarer})
    limits, rows = case.gates.calibration or Calibration(), (evidence.y, evidence.candidate, evidence.blocks)
    sure = case.gates.confidence
    error = interval(METRICS["calibration_error"], *rows, confidence=sure, seed=case.model.seed)
    slope, shift = (f(*rows, confidence=sure) for f in (recalibration.slope, recalibration.intercept))
    return merge(
        "calibration",
        [
            _weigh("error", error, -math.inf, limits.error, len(evidence.y)),
            _weigh("slope", slope, 1 - limits.slope, 1 + limits.slope, len(evidence.y)),
            _weigh("intercept", shift, -limits.intercept, limits.intercept, len(evidence.y)),
        ],
    )


def _weigh(name: str, found: Interval, low: float, high: float, rows: int) -> Verdict:
    numbers = {name: found.value, f"{name}_low": found.low, f"{name}_high": found.high}
    at = f"calibration {name} is {found.value:.3g} ({found.low:.3g} to {found.high:.3g})"
    wanted = f"at most {high:.3g}" if math.isinf(low) else f"between {low:.3g} and {high:.3g}"
    outcome: Outcome
    if math.isnan(found.low):
        outcome, reason = "INSUFFICIENT", f"calibration {name} cannot be told: {found.why}"
    elif low <= found.low and found.high <= high:
        outcome, reason = "PASS", f"{at}, within its limits"
    elif found.low > high or found.high < low:
        outcome, reason = "FAIL", f"{at}, and must be {wanted}"
    else:
        outcome, reason = (
            "INSUFFICIENT",
            f"{at}, and must be {wanted}: {rows} rows cannot tell{_more(found, low, high)}",
        )
    return Verdict("calibration", outcome, reason, numbers)


def _more(found: Interval, low: float, high: float) -> str:
    """Say how many times as many rows would do, if the value stays where it is; nothing when it is outside."""
    room = min(found.value - low, high - found.value)
    if room <= 0:
        return ""
    reach = max(found.high - found.value, found.value - found.low)
    return f"; about {math.ceil(10 * (reach / room) ** 2) / 10:g} times as many would"

"""Do the probabilities mean what they say? Calibration error, slope and intercept within `gates.calibration`.

Each has bounds that allow for whole partitions rising and falling together. All bounds within the limits is a PASS, a
limit beyond a bound is a FAIL. In between the rows cannot tell, and that is INSUFFICIENT.

Of several classes the probability of each is held to the same limits, against all others: a mean over the classes would
hide one that is far off among many that are hardly ever likely (classwise calibration; Kull et al., Beyond temperature
scaling, NeurIPS 2019).
"""

import math
from dataclasses import replace

from updraft.evidence import recalibration
from updraft.evidence.evidence import Evidence
from updraft.evidence.interval import Interval, interval
from updraft.evidence.metric import Array
from updraft.evidence.metrics import METRICS
from updraft.evidence.verdict import Outcome, Verdict, merge
from updraft.spec.checks import Calibration
from updraft.spec.model import UseCase

_NAMED = 3


def gate(evidence: Evidence, case: UseCase) -> Verdict | None:
    """Demand that error, slope and intercept lie within the limits, bounds and all; None of a number."""
    if evidence.kind == "regression":
        return None
    if shortage := evidence.shortage(case):
        return Verdict("calibration", "INSUFFICIENT", shortage, {"rows": len(evidence.y), "rarer": evidence.rarer})
    if evidence.kind == "binary":
        return merge("calibration", _weighed(evidence, case, evidence.y, evidence.candidate))
    each = zip(case.label.classes, evidence.candidate.T, strict=True)
    asked = [((evidence.y == code).astype(float), p, name) for code, (name, p) in enumerate(each)]
    return _shortened([verdict for y, p, name in asked for verdict in _weighed(evidence, case, y, p, name)])


def _weighed(evidence: Evidence, case: UseCase, y: Array, p: Array, of: str = "") -> list[Verdict]:
    """Weigh probabilities of a yes or no; `of` says which class it is."""
    limits, rows = case.gates.calibration or Calibration(), (y, p, evidence.blocks)
    sure = case.gates.confidence
    error = interval(METRICS["calibration_error"], *rows, confidence=sure, seed=case.model.seed)
    slope, shift = (f(*rows, confidence=sure) for f in (recalibration.slope, recalibration.intercept))
    return [
        _weigh("error", error, -math.inf, limits.error, len(y), of),
        _weigh("slope", slope, 1 - limits.slope, 1 + limits.slope, len(y), of),
        _weigh("intercept", shift, -limits.intercept, limits.intercept, len(y), of),
    ]


def _shortened(verdicts: list[Verdict]) -> Verdict:
    """Make one verdict of those on every class, in few words however many classes there are."""
    merged = merge("calibration", verdicts)
    if merged.outcome == "PASS":
        return replace(merged, reason="calibration error, slope and intercept of every class are within their limits")
    reasons = [verdict.reason for verdict in verdicts if verdict.outcome == merged.outcome]
    more = f"; and {len(reasons) - _NAMED} more" if len(reasons) > _NAMED else ""
    return replace(merged, reason="; ".join(reasons[:_NAMED]) + more)


def _weigh(name: str, found: Interval, low: float, high: float, rows: int, of: str) -> Verdict:
    key, name = (f"{of}: {name}", f"{name} of {of}") if of else (name, name)
    numbers = {key: found.value, f"{key}_low": found.low, f"{key}_high": found.high}
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

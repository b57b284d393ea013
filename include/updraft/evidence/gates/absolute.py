"""Is the candidate good enough by itself? Limits on single metrics: `gates.absolute` in the spec."""

import math

from updraft.evidence.evidence import Evidence
from updraft.evidence.metrics import METRICS
from updraft.evidence.verdict import Outcome, Verdict, merge
from updraft.spec.gates import Limit
from updraft.spec.model import UseCase


def gate(evidence: Evidence, case: UseCase) -> Verdict | None:
    """Demand that every declared limit holds for the point estimate, on enough rows to mean something."""
    limits = case.gates.absolute
    if not limits:
        return None
    if shortage := evidence.shortage(case):
        return Verdict("absolute", "INSUFFICIENT", shortage, {"rows": len(evidence.y), "rarer": evidence.rarer})
    return merge("absolute", [_weigh(evidence, name, limit) for name, limit in limits.items()])


def _weigh(evidence: Evidence, name: str, limit: Limit) -> Verdict:
    value = METRICS[name](evidence.y, evidence.candidate)
    low = -math.inf if limit.min is None else limit.min
    high = math.inf if limit.max is None else limit.max
    outcome: Outcome = "PASS" if low <= value <= high else "FAIL"
    reason = f"{name} is {value:.4g}, within its limit"
    if math.isnan(value):
        outcome, reason = "INSUFFICIENT", METRICS[name].undefined(evidence.y, evidence.candidate)
    elif value < low:
        reason = f"{name} is {value:.4g}, and must be at least {low:.4g}"
    elif value > high:
        reason = f"{name} is {value:.4g}, and must be at most {high:.4g}"
    return Verdict("absolute", outcome, reason, {name: value})

"""Is a difference real, is a loss within the margin, and could the rows have shown it at all?

Both questions are answered with the one-sided bounds of a paired difference (positive = the candidate is better):

| question | PASS | FAIL | otherwise |
| --- | --- | --- | --- |
| is it better? | `low > 0` | `high < 0`: it is worse | see power |
| is it not worse? | `low >= -margin` | `high < -margin`: worse than the margin allows | see power |

Power: when a true difference as large as the margin would have been missed more than one time in five, the rows could
not tell and the outcome is INSUFFICIENT, with the rows that would do. When they could have told, there is no evidence
for the claim and the outcome is FAIL. A margin of 0 names no difference worth seeing, so no number of rows would ever
do: the outcome is FAIL. Undefined bounds are INSUFFICIENT, and so is a single partition, whose bounds know nothing of
how partitions differ.

Where several comparisons must all come out well, `power` is shared among them by the caller: each must be surer.
"""

import math

from updraft.evidence.metrics import METRICS
from updraft.evidence.paired import Difference
from updraft.evidence.sampling import critical
from updraft.evidence.verdict import Outcome, Verdict
from updraft.spec.gates import Gates

POWER = 0.8


def margin_of(gates: Gates, difference: Difference) -> float:
    """Margin in units of the metric: as declared for AUC and other shares, that share of the reference for losses."""
    share = METRICS[difference.metric].higher_is_better
    return gates.margin if share else gates.margin * abs(difference.reference)


def is_better(gate: str, difference: Difference, *, than: str, margin: float) -> Verdict:
    """Demand that the candidate is better than `than`, beyond chance."""
    claim = f"better than {than} in {difference.metric}"
    if why := _silent(difference):
        outcome, reason = _insufficient(f"cannot tell whether it is {claim}: {why}")
    elif difference.low > 0:
        outcome, reason = "PASS", f"{claim} {_size(difference)}"
    elif difference.high < 0:
        outcome, reason = "FAIL", f"worse than {than} in {difference.metric} {_size(difference)}"
    else:
        outcome, reason = _unproven(f"no evidence of being {claim}", difference, margin)
    return Verdict(gate, outcome, reason, _numbers(difference, than, margin))


def is_not_worse(gate: str, difference: Difference, *, than: str, margin: float, power: float = POWER) -> Verdict:
    """Demand that the candidate is not worse than `than` by more than `margin`."""
    claim = f"worse than {than} in {difference.subject} by more than {margin:.3g}"
    if why := _silent(difference):
        outcome, reason = _insufficient(f"cannot tell whether it is {claim}: {why}")
    elif difference.low >= -margin:
        outcome, reason = "PASS", f"not {claim} {_size(difference)}"
    elif difference.high < -margin:
        outcome, reason = "FAIL", f"{claim} {_size(difference)}"
    else:
        outcome, reason = _unproven(f"may be {claim}", difference, margin, power)
    return Verdict(gate, outcome, reason, _numbers(difference, than, margin, power))


def detectable(difference: Difference, power: float = POWER) -> float:
    """Smallest true difference that rows like these would show four times in five, or as often as `power` says."""
    return _reach(difference, difference.blocks, power) * difference.standard_error


def rows_needed(difference: Difference, margin: float, power: float = POWER) -> float:
    """Rows, in partitions like these, that would show a true difference of `margin` as often as `power` says.

    The variance shrinks as partitions grow in number. Undefined, and therefore nan, without a margin or a standard
    error.
    """
    if not margin > 0 or math.isnan(difference.standard_error):
        return float("nan")
    variance = difference.blocks * (difference.standard_error / margin) ** 2
    blocks = max(2, math.ceil(variance * _reach(difference, 1, power) ** 2))
    while (
        variance * _reach(difference, blocks, power) ** 2 > blocks
    ):  # Student's t comes near to the normal within a few
        blocks += 1
    return float(math.ceil(difference.n / difference.blocks * blocks))


def _reach(difference: Difference, blocks: int, power: float) -> float:
    from scipy.special import ndtri

    return critical(difference.confidence, blocks) + float(ndtri(power))


def _silent(difference: Difference) -> str:
    if math.isnan(difference.standard_error):
        return difference.method
    if difference.blocks < 2:
        return "one partition cannot show how partitions differ; hold out at least two"
    return ""


def _insufficient(reason: str) -> tuple[Outcome, str]:
    return "INSUFFICIENT", reason


def _unproven(claim: str, difference: Difference, margin: float, power: float = POWER) -> tuple[Outcome, str]:
    found = f"{claim} {_size(difference)}"
    if not 0 < margin < detectable(difference, power):
        return "FAIL", found
    needed = f"about {rows_needed(difference, margin, power):.0f} rows could show a difference of {margin:.3g}"
    return _insufficient(f"{found}; {needed}, {difference.n} could not")


def _size(difference: Difference) -> str:
    bounds = f"{difference.difference:+.3g}, between {difference.low:+.3g} and {difference.high:+.3g}"
    return f"({bounds}; {difference.n} rows of {difference.blocks} partitions)"


def _numbers(difference: Difference, than: str, margin: float, power: float = POWER) -> dict[str, float]:
    numbers = {
        "difference": difference.difference,
        "low": difference.low,
        "high": difference.high,
        "margin": margin,
        "detectable": detectable(difference, power),
        "rows_needed": rows_needed(difference, margin, power),
    }
    part = f"{difference.where}: " if difference.where else ""
    return {f"{part}{than}_{difference.metric}_{name}": number for name, number in numbers.items()}

"""What one gate says about a candidate: an outcome, the reason, and the numbers behind it."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from updraft.spec.checks import Mode

Outcome = Literal["PASS", "FAIL", "INSUFFICIENT"]


@dataclass(frozen=True)
class Verdict:
    """One demand, and whether it was met.

    :param gate: Name of the gate.
    :param outcome: INSUFFICIENT when the rows cannot tell; it is never a pass.
    :param reason: One sentence a person can act on.
    :param numbers: What it was decided on; nan where a number is undefined.
    :param mode: `warn` is shown and decides nothing.
    :param measured: What depends on the machine and the moment, such as seconds. It is reported beside the verdict and
        is no part of it, or looking twice would be two different examinations.
    """

    gate: str
    outcome: Outcome
    reason: str
    numbers: Mapping[str, float] = field(default_factory=dict)
    mode: Mode = "enforce"
    measured: Mapping[str, float] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the verdict as plain JSON values; an undefined number is null.

        >>> Verdict("absolute", "PASS", "fine", {"auc": float("nan")}).to_json()["numbers"]
        {'auc': None}
        """
        numbers = {name: finite(number) for name, number in self.numbers.items()}
        said = {"gate": self.gate, "mode": self.mode, "outcome": self.outcome, "reason": self.reason}
        return {**said, "numbers": numbers}


def overall(verdicts: Iterable[Verdict]) -> Outcome:
    """Sum up verdicts that decide: any FAIL fails, then any INSUFFICIENT is insufficient, and none at all is no pass.

    >>> overall([])
    'INSUFFICIENT'
    """
    outcomes = {verdict.outcome for verdict in verdicts if verdict.mode == "enforce"}
    if "FAIL" in outcomes:
        return "FAIL"
    return "PASS" if outcomes == {"PASS"} else "INSUFFICIENT"


def merge(gate: str, verdicts: Iterable[Verdict]) -> Verdict:
    """Make one verdict of several: the overall outcome, the reasons of those that decided it, every number."""
    parts = list(verdicts)
    outcome = overall(parts)
    reasons = [part.reason for part in parts if part.outcome == outcome] or ["nothing was examined"]
    numbers = {name: number for part in parts for name, number in part.numbers.items()}
    return Verdict(gate, outcome, "; ".join(reasons), numbers)


def finite(number: float) -> float | None:
    """Return the number as JSON can hold it: null for nan and the infinities."""
    return float(number) if math.isfinite(number) else None

"""Is the candidate worse anywhere that matters? On no declared slice may it be worse by more than a margin.

A model can be better as a whole and worse for one airport. So every slice of `gates.slices` is compared by itself on
`gates.metric`, with the champion, or with the base rate while there is no champion:

- FAIL names each slice on which it is worse by more than the margin. The more slices, the more evidence that takes
  (Holm), so that a model that is worse nowhere is seldom refused for the unluckiest of them.
- PASS needs every slice to be shown not worse. Since all must pass, that needs no correction; but all of them together
  should pass four times in five when nothing is wrong, so each is asked to tell more surely.
- INSUFFICIENT says how many rows would tell, where there are too few.
"""

import math
from dataclasses import replace

from updraft.evidence import slices
from updraft.evidence.evidence import Evidence
from updraft.evidence.holm import widened
from updraft.evidence.judgement import POWER, is_not_worse, margin_of
from updraft.evidence.metric import Array
from updraft.evidence.paired import Difference
from updraft.evidence.slices import Slice
from updraft.evidence.verdict import Verdict, merge
from updraft.spec.model import UseCase


def gate(evidence: Evidence, case: UseCase) -> Verdict | None:
    """Demand non-inferiority on every declared slice; None when none is declared or nothing is there to compare."""
    rival = evidence.rival()
    if case.gates.slices.empty or evidence.rows is None or rival is None:
        return None
    if shortage := evidence.shortage(case):
        return Verdict("slices", "INSUFFICIENT", shortage, {"rows": len(evidence.y), "rarer": evidence.rarer})
    found = slices.declared(evidence.rows, case.gates.slices)
    large = [part for part in found if part.rows >= case.gates.slices.min_rows]
    small = [_too_small(part, evidence, case) for part in found if part not in large]
    verdict = merge("slices", [*small, *_judged(large, evidence, case, *rival)])
    passed = f"worse than {rival[0]} by more than the margin on none of {len(large)} slices"
    return replace(verdict, reason=passed) if verdict.outcome == "PASS" else verdict


def _judged(parts: list[Slice], evidence: Evidence, case: UseCase, than: str, reference: Array) -> list[Verdict]:
    differences = [evidence.against(reference, case.gates.metric, case, part) for part in parts]
    allowed = case.gates.model_copy(update={"margin": case.gates.slices.margin})
    margins = [margin_of(allowed, difference) for difference in differences]
    power = 1 - (1 - POWER) / max(1, len(parts))
    pairs = zip(widened(differences, margins), margins, strict=True)
    return [_measured(is_not_worse("slices", one, than=than, margin=m, power=power), one) for one, m in pairs]


def _measured(verdict: Verdict, difference: Difference) -> Verdict:
    values = {"rows": float(difference.n), difference.metric: difference.candidate}
    numbers = {f"{difference.where}: {name}": value for name, value in values.items()}
    return Verdict(verdict.gate, verdict.outcome, verdict.reason, {**numbers, **verdict.numbers})


def _too_small(part: Slice, evidence: Evidence, case: UseCase) -> Verdict:
    asked = case.gates.slices.min_rows
    held_out = math.ceil(len(evidence.y) * asked / part.rows) if part.rows else math.nan
    enough = f"; about {held_out} held-out rows would hold that many" if part.rows else ""
    reason = f"{part.rows} rows where {part.name}, and `gates.slices.min_rows` asks for {asked}{enough}"
    numbers = {"rows": part.rows, "rows_needed": asked, "held_out_rows_needed": held_out}
    return Verdict("slices", "INSUFFICIENT", reason, {f"{part.name}: {name}": n for name, n in numbers.items()})

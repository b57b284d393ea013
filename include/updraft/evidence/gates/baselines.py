"""Is the candidate worth its complexity? It must beat every simpler model, beyond chance, on `gates.metric`.

The trivial model (base rate or mean) is simpler than a linear one, which is simpler than anything else. A simpler
family that does as well is the better choice, so it must be beaten; a more complex one need not be: it lost the choice
of family on the validation rows, and choosing again here would use up the held-out rows. When the candidate is the
linear model, only the trivial model stands. All must be beaten, so the level needs no correction for their
number.
"""

from updraft.evidence.evidence import Evidence
from updraft.evidence.judgement import is_better, margin_of
from updraft.evidence.verdict import Verdict, merge
from updraft.spec.model import UseCase


def gate(evidence: Evidence, case: UseCase) -> Verdict | None:
    """Demand that the lower bound of the difference to every simpler baseline is above zero."""
    simpler = _simpler(evidence.family, case.baselines)
    absent = [name for name in simpler if name not in evidence.baselines]
    shortage = evidence.shortage(case) or (f"no {' and no '.join(absent)} baseline was trained" if absent else "")
    if shortage or not simpler:
        reason = shortage or f"nothing is simpler than a {evidence.family} model, so it cannot earn its place"
        return Verdict("baselines", "INSUFFICIENT", reason, {"rows": len(evidence.y), "rarer": evidence.rarer})
    return merge("baselines", [_weigh(evidence, case, name) for name in simpler])


def _simpler(family: str, simplest_first: tuple[str, ...]) -> tuple[str, ...]:
    return simplest_first[: simplest_first.index(family)] if family in simplest_first else simplest_first


def _weigh(evidence: Evidence, case: UseCase, name: str) -> Verdict:
    difference = evidence.against(evidence.baselines[name], case.gates.metric, case)
    return is_better("baselines", difference, than=name, margin=margin_of(case.gates, difference))

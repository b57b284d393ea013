"""Is the candidate worth its complexity? It must beat every simpler model, beyond chance, on `gates.metric`.

A trivial model (the base rate) is simpler than a logistic regression, which is simpler than anything else. A simpler
family that does as well is the better choice, so it must be beaten; a more complex one need not be: it lost the choice
of family on the validation rows, and choosing again here would use up the held-out rows. When the candidate is the
logistic regression, only the trivial model stands. All must be beaten, so the level needs no correction for their
number.
"""

from updraft.evidence.evidence import Evidence
from updraft.evidence.judgement import is_better, margin_of
from updraft.evidence.verdict import Verdict, merge
from updraft.spec.model import UseCase

_SIMPLEST_FIRST = ("trivial", "logistic")


def gate(evidence: Evidence, case: UseCase) -> Verdict | None:
    """Demand that the lower bound of the difference to every simpler baseline is above zero."""
    simpler = _SIMPLEST_FIRST[: _complexity(evidence.family)]
    absent = [name for name in simpler if name not in evidence.baselines]
    shortage = evidence.shortage(case) or (f"no {' and no '.join(absent)} baseline was trained" if absent else "")
    if shortage or not simpler:
        reason = shortage or f"nothing is simpler than a {evidence.family} model, so it cannot earn its place"
        return Verdict("baselines", "INSUFFICIENT", reason, {"rows": len(evidence.y), "rarer": evidence.rarer})
    return merge("baselines", [_weigh(evidence, case, name) for name in simpler])


def _complexity(family: str) -> int:
    return _SIMPLEST_FIRST.index(family) if family in _SIMPLEST_FIRST else len(_SIMPLEST_FIRST)


def _weigh(evidence: Evidence, case: UseCase, name: str) -> Verdict:
    difference = evidence.against(evidence.baselines[name], case.gates.metric, case)
    return is_better("baselines", difference, than=name, margin=margin_of(case.gates, difference))

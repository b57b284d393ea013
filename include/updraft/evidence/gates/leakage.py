"""Does the candidate know the answer beforehand? Every kind of leak is looked for; `updraft.evidence.leaks` lists them.

A leak is a FAIL however few rows there are. Without one, too few rows, or feature rows that could not be computed
again, are INSUFFICIENT.
"""

from collections.abc import Sequence

import numpy as np

from updraft.evidence import leaks
from updraft.evidence.evidence import Evidence
from updraft.evidence.look import Leak, Look
from updraft.evidence.verdict import Verdict
from updraft.spec.model import UseCase

_NAMED, _KEPT = 3, 20


def gate(evidence: Evidence, case: UseCase) -> Verdict | None:
    """Demand that no leak is found; None without rows."""
    if evidence.rows is None or evidence.training is None:
        return None
    look = Look(evidence, case, evidence.training, evidence.rows)
    found = [leak for find in leaks.discover().values() for leak in find(look)] if len(evidence.y) else []
    numbers = _numbers(look, found) if len(evidence.y) else {"leaks": 0.0}
    if found:
        return Verdict("leakage", "FAIL", _named(found), numbers)
    unknown = evidence.hindsight.unknown if evidence.hindsight else ""
    if shortage := evidence.shortage(case) or (unknown and f"no row could be computed again: {unknown}"):
        return Verdict("leakage", "INSUFFICIENT", shortage, numbers)
    reason = f"none of {len(leaks.discover())} kinds of leak found in {len(case.features)} features"
    return Verdict("leakage", "PASS", reason, numbers)


def _named(found: Sequence[Leak]) -> str:
    """Name the worst of each kind first."""
    kinds = [leak.kind for leak in found]
    order = sorted(range(len(found)), key=lambda place: (kinds[:place].count(kinds[place]), place))
    said = "; ".join(f"{found[place].kind}: {found[place].says[:200]}" for place in order[:_NAMED])
    return said + (f"; and {len(found) - _NAMED} more" if len(found) > _NAMED else "")


def _numbers(look: Look, found: Sequence[Leak]) -> dict[str, float]:
    """How much the best feature knows alone beside the whole model, and every leak by kind and subject."""
    whole, name = look.metric(look.evidence.y, look.evidence.candidate), look.metric.name
    best = max((told for told in look.alone.values() if np.isfinite(told)), default=float("nan"))
    looked_again = len(look.evidence.hindsight.partitions) if look.evidence.hindsight else 0
    known = {"leaks": len(found), name: whole, f"best_feature_{name}": best, "partitions_again": looked_again}
    return known | {f"{leak.kind}.{leak.subject}": leak.size for leak in found[:_KEPT]}

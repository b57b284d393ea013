"""Is there a part of the rows, declared by nobody, on which the candidate is worse than what it would replace?

A shallow tree looks for it among the older half of the held-out partitions, the newer half judges what it found: by
the Brier score (several classes: log loss; numbers: root mean squared error), with Holm's correction for how many parts
were judged. What is found is a warning: it asks a person to look, and perhaps to declare the slice; a search that could
refuse a candidate would refuse some good ones for its luck.
"""

import numpy as np

from updraft.evidence.evidence import Evidence
from updraft.evidence.holm import widened
from updraft.evidence.metrics import METRICS
from updraft.evidence.paired import Difference
from updraft.evidence.slices import Slice
from updraft.evidence.verdict import Verdict
from updraft.evidence.weakness import halves, suspects
from updraft.spec.model import UseCase

_JUDGED_BY = {"binary": "brier", "multiclass": "log_loss", "regression": "rmse"}
_NAMED = 3


def gate(evidence: Evidence, case: UseCase) -> Verdict | None:
    """Look for weak slices; None when there are too few rows or partitions to judge them by."""
    rival = evidence.rival()
    if evidence.rows is None or rival is None:
        return None
    if len(np.unique(evidence.blocks)) < 4 or evidence.shortage(case):
        return None
    than, reference = rival
    search, judge = halves(evidence.blocks)
    metric = METRICS[_JUDGED_BY[evidence.kind]]
    assert metric.per_row is not None
    errors = metric.per_row(evidence.y, evidence.candidate) - metric.per_row(evidence.y, reference)
    kinds = {name: str(feature.type) for name, feature in case.features.items()}
    found = [Slice(part.name, part.at & judge) for part in suspects(evidence.rows, kinds, errors, search)]
    large = [part for part in found if part.rows >= case.gates.slices.min_rows]
    differences = widened([evidence.against(reference, metric.name, case, part) for part in large], [0.0] * len(large))
    return _told(
        [one for one in differences if one.high < 0],
        than,
        metric.name,
        judged=len(large),
        unjudged=len(found) - len(large),
    )


def _told(weak: list[Difference], than: str, metric: str, *, judged: int, unjudged: int) -> Verdict:
    numbers = {"judged": float(judged), "too_small_to_judge": float(unjudged), "weak": float(len(weak))}
    for one in weak:
        measured = {
            "rows": one.n,
            metric: one.candidate,
            f"{than}_{metric}": one.reference,
            "worse_by_at_least": -one.high,
        }
        numbers |= {f"{one.where}: {name}": float(value) for name, value in measured.items()}
    if not weak:
        return Verdict("weak_slices", "PASS", f"worse than {than} on none of {judged} parts found suspect", numbers)
    named = "; ".join(f"{one.where} ({one.difference:+.3g} on {one.n} rows)" for one in weak[:_NAMED])
    return Verdict("weak_slices", "FAIL", f"worse than {than} in {metric} where {named}", numbers)

"""Does the candidate deserve to replace the champion? Better where it claims so, and not worse elsewhere.

"At least as good" promotes equal models half the time, and a margin alone nearly always. So the candidate must be
better, beyond chance, on `gates.metric`, and not worse by more than `gates.margin` on the other metrics in
`_COMPARED` (for losses the margin is that share of the champion's loss). Of two equal models one replaces the other
at most 1 - `gates.confidence` of the time. With `gates.demand: not_worse` the candidate claims less: on `gates.metric`
too it need only be not worse, as for a model that must follow the newest data; then equal models do replace each other,
and only a worse one is kept out. What FAIL and INSUFFICIENT mean: `updraft.evidence.judgement`.
"""

from updraft.evidence.evidence import Evidence
from updraft.evidence.judgement import is_better, is_not_worse, margin_of
from updraft.evidence.paired import Difference
from updraft.evidence.verdict import Verdict, merge
from updraft.spec.model import UseCase

_COMPARED = {
    "binary": ("auc", "brier", "log_loss"),
    "multiclass": ("log_loss", "macro_auc", "accuracy"),
    "regression": ("rmse", "mae"),
}


def gate(evidence: Evidence, case: UseCase) -> Verdict | None:
    """Demand what is claimed on the chosen metric and non-inferiority on the others; None without a champion."""
    if evidence.champion is None:
        return None
    if shortage := evidence.shortage(case):
        return Verdict("champion", "INSUFFICIENT", shortage, {"rows": len(evidence.y), "rarer": evidence.rarer})
    chosen_first = dict.fromkeys((case.gates.metric, *_COMPARED[evidence.kind]))
    return merge("champion", [_weigh(evidence.against(evidence.champion, name, case), case) for name in chosen_first])


def _weigh(difference: Difference, case: UseCase) -> Verdict:
    claims = difference.metric == case.gates.metric and case.gates.demand == "better"
    demand = is_better if claims else is_not_worse
    return demand("champion", difference, than="champion", margin=margin_of(case.gates, difference))

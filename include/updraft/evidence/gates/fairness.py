"""Are groups treated alike? Limits of `gates.fairness` on how far apart they are, and on growing further apart.

Each group's share of rows acted on is compared, in all (demographic parity), among the rows that came true and among
those that did not (equalized odds: the gaps in true and in false positive rates, not in accuracy, which hides one
behind the other). For every limit that is declared:

- PASS needs the upper bound of the gap to be within the limit, and the gap to be at most `margin` above the champion's;
- FAIL names the groups, when the gap is beyond the limit for sure or when the rows could have shown that it is within;
- INSUFFICIENT says what is missing: rows of a small group, or rows altogether.

Of several classes and of a number, too, a row is acted on or not, and acting was right or not: a class in
`problem.act_on`, or a number from `problem.cost.act_from` on, is what comes true.
"""

import math
from dataclasses import replace

import numpy as np

from updraft.evidence import fairness
from updraft.evidence.evidence import Evidence
from updraft.evidence.fairness import COUNTED, Gap, Shares
from updraft.evidence.judgement import detectable, is_not_worse, rows_needed
from updraft.evidence.paired import Difference
from updraft.evidence.sampling import block_codes, critical
from updraft.evidence.slices import MISSING, Parted, parted
from updraft.evidence.verdict import Outcome, Verdict, merge
from updraft.model.labels import came_true
from updraft.spec.model import UseCase


def gate(evidence: Evidence, case: UseCase) -> Verdict | None:
    """Demand that no two groups are further apart than declared; None when nothing is declared or without rows."""
    asked = case.gates.fairness
    if asked.empty or evidence.rows is None:
        return None
    if shortage := evidence.shortage(case):
        return Verdict("fairness", "INSUFFICIENT", shortage, {"rows": len(evidence.y), "rarer": evidence.rarer})
    limits = {"demographic_parity": asked.demographic_parity, "equalized_odds": asked.equalized_odds}
    rates = [(rate, limit) for name, limit in limits.items() if limit is not None for rate in fairness.RATES[name]]
    verdicts: list[Verdict] = []
    for feature in (*asked.by, *asked.cut):
        groups = parted(evidence.rows, asked, feature)
        if len(set(groups.names) - {MISSING}) < 2:
            verdicts.append(
                _verdict("INSUFFICIENT", f"{feature} is the same in all held-out rows, a gap takes two", {})
            )
            continue
        verdicts += [found for rate in rates for found in _rate(evidence, case, feature, groups, *rate)]
    return merge("fairness", verdicts)


def _rate(evidence: Evidence, case: UseCase, feature: str, groups: Parted, rate: str, limit: float) -> list[Verdict]:
    codes, decided = block_codes(evidence.blocks), evidence.decisions(case)
    came = came_true(case, evidence.y).astype(float)
    counted = {role: fairness.shares(rate, came, acted, groups, codes) for role, acted in decided.items()}
    subject = f"{rate} by {feature}"
    if small := _too_few(counted["candidate"], evidence, case, rate, feature):
        return [small]
    apart = fairness.apart(rate, came, decided["candidate"], groups)
    verdicts = [_within(apart, counted["candidate"], evidence, case, subject, limit)]
    if "champion" in counted:
        change = _change(counted["candidate"], counted["champion"], evidence, case, subject)
        verdicts.append(is_not_worse("fairness", change, than="champion", margin=case.gates.fairness.margin))
    return verdicts


def _within(apart: float, found: Shares, evidence: Evidence, case: UseCase, subject: str, limit: float) -> Verdict:
    gap = replace(fairness.gap(found, confidence=case.gates.confidence, seed=case.model.seed), value=apart)
    told = _difference(subject, gap.value, 0.0, gap.standard_error, found, evidence, case)
    who = f"{gap.highest} against {gap.lowest}: {gap.value:.3g}, between {gap.low:.3g} and {gap.high:.3g}"
    outcome, reason = _judge(subject, gap, told, limit, f"({who}; {told.n} rows of {told.blocks} partitions)")
    numbers = {"gap": gap.value, "low": gap.low, "high": gap.high, "limit": limit}
    shares = dict(zip(found.groups, found.of(np.ones((1, found.blocks)))[0].tolist(), strict=True))
    return _verdict(outcome, reason, {f"{subject}: {name}": value for name, value in {**shares, **numbers}.items()})


def _judge(subject: str, gap: Gap, told: Difference, limit: float, size: str) -> tuple[Outcome, str]:
    beyond = f"differs by more than {limit:.3g}"
    if math.isnan(gap.standard_error):
        return "INSUFFICIENT", f"cannot tell whether {subject} {beyond}: {told.method}"
    if gap.high <= limit:
        return "PASS", f"{subject} differs by no more than {limit:.3g} {size}"
    if gap.low > limit:
        return "FAIL", f"{subject} {beyond} {size}"
    may = f"{subject} may differ by more than {limit:.3g} {size}"
    if not 0 < limit < detectable(told):
        return "FAIL", may
    return "INSUFFICIENT", f"{may}; about {rows_needed(told, limit):.0f} rows could show that it does not"


def _change(found: Shares, champion: Shares, evidence: Evidence, case: UseCase, subject: str) -> Difference:
    """The candidate's gap against the champion's, as a paired difference; a smaller gap is better."""
    once = np.ones((1, found.blocks))
    gaps = float(found.gaps(once)[0]), float(champion.gaps(once)[0])
    error = fairness.gap_error(found, champion, seed=case.model.seed)
    return _difference(f"gap of {subject}", *gaps, error, found, evidence, case)


def _difference(
    metric: str, value: float, reference: float, error: float, found: Shares, evidence: Evidence, case: UseCase
) -> Difference:
    gain, reach = reference - value, error * critical(case.gates.confidence, found.blocks)
    return Difference(
        metric=metric,
        candidate=value,
        reference=reference,
        difference=gain,
        low=gain - reach,
        high=gain + reach,
        standard_error=error,
        confidence=case.gates.confidence,
        n=len(evidence.y),
        positives=int(came_true(case, evidence.y).sum()),
        blocks=found.blocks,
        method="no bounds: partitions are too few, or a group is in too few of them",
    )


def _too_few(found: Shares, evidence: Evidence, case: UseCase, rate: str, feature: str) -> Verdict | None:
    rows, asked = found.among.sum(axis=0), case.gates.fairness.min_rows
    smallest = int(rows.argmin())
    if rows[smallest] >= asked:
        return None
    held_out = math.ceil(len(evidence.y) * asked / rows[smallest]) if rows[smallest] else math.nan
    reason = (
        f"{rows[smallest]:.0f} {COUNTED[rate]} where {feature} is {found.groups[smallest]}, and "
        f"`gates.fairness.min_rows` asks for {asked}"
    )
    reason += f"; about {held_out} held-out rows would hold that many" if rows[smallest] else ""
    numbers = {"rows": float(rows[smallest]), "held_out_rows_needed": held_out}
    return _verdict("INSUFFICIENT", reason, {f"{rate} by {feature}: {name}": n for name, n in numbers.items()})


def _verdict(outcome: Outcome, reason: str, numbers: dict[str, float]) -> Verdict:
    return Verdict("fairness", outcome, reason, numbers)

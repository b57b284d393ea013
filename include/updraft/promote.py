"""Who is champion: a candidate that passed its gates, or an earlier champion to fall back to.

The ledger decides and MLflow's alias follows. A candidate rises only on a record `gated` that says PASS, made against
the very champion it replaces, so a result handed on through XCom or a form can neither be forged nor grow old.
Every step may be done again: what was decided for a partition and a model is found in the ledger, not decided twice.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from updraft import grounds
from updraft.errors import ModelRejected, NoChampion, RegistryUnavailable
from updraft.evidence import Examination, overall
from updraft.grounds import Approval, Outcome, Settled
from updraft.lake import Lake
from updraft.ledger import FACTS_LIMIT, Ledger, Record, State
from updraft.records import canonical, digest
from updraft.registry import Registry
from updraft.spec.model import UseCase
from updraft.tracking import checked

__all__ = ["Approval", "Promotion", "decide_and_promote", "gate", "promote", "rollback"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Promotion:
    """What came of an attempt to change the champion.

    :param outcome: `kept` when there was nothing to decide any more.
    :param sequence: The record that says so.
    :param champion: Digest of the champion there is now.
    :param alias: Whether MLflow's alias stands there too; where it is pending, `Registry.repair` mends it later.
    """

    outcome: Outcome
    sequence: int
    why: str
    champion: str | None
    alias: Literal["follows", "pending"]


class _Needless(Exception):  # noqa: N818 - no error: another attempt, or an earlier one, recorded the same
    """Leaves an append."""


def decide_and_promote(
    lake: Lake, registry: Registry, case: UseCase, candidate: str, examination: Examination,
    *, partition: str, who: str, approval: Approval | None = None,
) -> Promotion:  # fmt: skip
    """Record an examination, then promote or reject the candidate: `gate` and `promote` in one.

    :raises WriteConflict: If the champion it was compared with is champion no more: examine it again.
    """
    if grounds.settled(Ledger(lake, case.name).state(), candidate, partition) is None:
        gate(lake, case, candidate, examination, partition=partition, who=who)
    return promote(lake, registry, case, candidate, partition=partition, who=who, approval=approval)


def gate(lake: Lake, case: UseCase, candidate: str, examination: Examination, *, partition: str, who: str) -> Record:
    """Record what the gates said; the sequence of this record is what an approval is given for.

    :raises WriteConflict: If the champion it was compared with is champion no more: examine it again.
    """
    if examination.outcome != overall(examination.verdicts):
        raise ValueError(f"an examination whose verdicts do not add up to {examination.outcome}")
    facts, same = _facts(lake, case, examination), list[Record]()

    def expect(state: State) -> None:
        last = grounds.newest_gated(state, candidate, partition)
        decided = grounds.settled(state, candidate, partition)  # by an equal attempt, running at the same time
        if not decided:
            grounds.demand_champion(state, examination.champion)
        if last is not None and (decided or canonical(last.facts) == canonical(facts)):
            same.append(last)
            raise _Needless

    about: dict[str, Any] = {"model": checked(candidate), "partition": partition, "who": who}
    try:
        return Ledger(lake, case.name).append("gated", why=_verdict(examination), facts=facts, expect=expect, **about)
    except _Needless:
        return same[-1]


def promote(
    lake: Lake, registry: Registry, case: UseCase, candidate: str,
    *, partition: str, who: str, approval: Approval | None = None,
) -> Promotion:  # fmt: skip
    """Make a candidate champion if its newest examination, and where asked for a person, said so; reject it otherwise.

    :raises ModelRejected: If it was not examined at this partition.
    :raises WriteConflict: If the champion it was compared with is champion no more: examine it again.
    """
    ledger = Ledger(lake, case.name)
    state = ledger.state()
    settled = grounds.settled(state, checked(candidate), partition)
    if settled is None:
        gated = grounds.newest_gated(state, candidate, partition)
        if gated is None:
            raise ModelRejected(
                f"Model {candidate[:12]} was not examined at {partition}.", next_step="run the gates on it first."
            )
        settled = _decide(ledger, gated, grounds.objection(case, gated, approval), approval, who)
    return _followed(ledger, registry, settled)


def rollback(
    lake: Lake, registry: Registry, case: UseCase,
    *, who: str, why: str, verify: Callable[[str], object], leave: str | None = None, partition: str | None = None,
) -> Promotion:  # fmt: skip
    """Go back to the newest earlier champion that `verify` accepts; those it rejects are skipped and named.

    :param verify: Loads the model of a digest; raises `ModelRejected` if it cannot be counted on.
    :param leave: Champion to leave. Give it wherever the step may be retried: another champion is then left alone.
    :raises NoChampion: If there is none to go back to; the champion stays.
    """
    ledger = Ledger(lake, case.name)
    state = ledger.state()
    if leave is not None and leave != state.champion:
        return _followed(ledger, registry, Settled("kept", state.head, f"{leave[:12]} is champion no more"))
    skipped: dict[str, str] = {}
    for earlier in reversed(state.previous):
        try:
            verify(earlier)
        except ModelRejected as broken:
            skipped[earlier] = broken.what[:150]
            continue
        record = ledger.append(
            "rolled_back", why=_skipping(why, skipped), who=who, partition=partition, model=earlier,
            facts={"left": state.champion, "skipped": skipped},
            expect=lambda present: grounds.demand_champion(present, state.champion),
        )  # fmt: skip
        return _followed(ledger, registry, Settled("rolled_back", record.sequence, record.why))
    raise NoChampion(
        _skipping(f"{case.name} has no earlier champion to go back to", skipped) + ".",
        next_step="train a new model, or restore the files of an earlier one.",
    )


def _decide(ledger: Ledger, gated: Record, objection: str, approval: Approval | None, who: str) -> Settled:
    candidate, partition, against = str(gated.model), str(gated.partition), gated.facts["champion"]
    facts = {"gated": gated.sequence, "champion": against, "approval": asdict(approval) if approval else None}
    same: list[Settled] = []

    def expect(state: State) -> None:
        refusal = grounds.refused(state, gated, facts) if objection else None
        if earlier := grounds.settled(state, candidate, partition) or refusal:
            same.append(earlier)
            raise _Needless
        if not objection:
            grounds.demand_champion(state, against)
            if grounds.newest_gated(state, candidate, partition) != gated:
                raise grounds.outdated(f"Model {candidate[:12]} was examined again meanwhile.")

    kind: Literal["rejected", "promoted"] = "rejected" if objection else "promoted"
    about: dict[str, Any] = {"model": candidate, "partition": partition, "who": who}
    try:
        record = ledger.append(kind, why=objection or gated.why, facts=facts, expect=expect, **about)
    except _Needless:
        return same[-1]
    return Settled(kind, record.sequence, record.why)


def _followed(ledger: Ledger, registry: Registry, settled: Settled) -> Promotion:
    """Let the alias follow the ledger; MLflow being down changes nothing of what was decided."""
    now, reached = ledger.state().champion, True
    try:
        pointed = None
        while now is not None and now != pointed:  # another promotion may land while the alias is being moved
            pointed, reached = now, registry.point_champion(ledger.use_case, now)
            now = ledger.state().champion
    except RegistryUnavailable as fault:
        _log.warning("the alias of %s is pending: %s", ledger.use_case, fault)
        reached = False
    return Promotion(settled.outcome, settled.sequence, settled.why, now, "follows" if reached else "pending")


def _facts(lake: Lake, case: UseCase, examination: Examination) -> dict[str, Any]:
    """The whole examination, or its summary and where the whole of it lies when it is too long for a record."""
    whole = examination.to_json()
    content = canonical(whole)
    if len(content) < FACTS_LIMIT // 2:
        return whole
    key = f"evidence/{case.name}/{digest(content)}.json"
    lake.create(key, content)
    return {**examination.summary(), "report": key}


def _verdict(examination: Examination) -> str:
    decided = [v for v in examination.verdicts if v.mode == "enforce"]
    passed = f"all {len(decided)} gates on {examination.n} held-out rows"
    warned = [v.gate for v in examination.verdicts if v.mode == "warn" and v.outcome != "PASS"]
    said = [*(examination.in_the_way() or [passed]), *([f"warned by {', '.join(warned)}"] if warned else [])]
    return f"{examination.outcome}, {'; '.join(said)}"


def _skipping(why: str, skipped: Mapping[str, str]) -> str:
    return "; ".join([why, *(f"skipped {model[:12]}: {broken}" for model, broken in skipped.items())])

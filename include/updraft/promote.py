"""Who is champion: a candidate that passed its gates, or an earlier champion to fall back to.

The ledger decides and MLflow's alias follows. A candidate rises only on a record `gated` that says PASS, made against
the very champion it replaces, so a result handed on through XCom or a form can neither be forged nor grow old.
Every step may be done again: what was decided for a partition and a model is found in the ledger, not decided twice.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from updraft import alias, grounds
from updraft.errors import ModelRejected, NoChampion
from updraft.evidence import Examination, overall
from updraft.grounds import Approval, Outcome, Settled
from updraft.lake import Lake
from updraft.ledger import FACTS_LIMIT, Kind, Ledger, Record, State
from updraft.records import canonical, digest
from updraft.registry import Registry
from updraft.spec.model import UseCase
from updraft.tracking import checked

__all__ = ["Approval", "Promotion", "answer", "decide", "gate", "promote", "retire", "rollback", "withdraw"]


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


def gate(
    lake: Lake, case: UseCase, candidate: str, examination: Examination,
    *, partition: str, who: str, rollout: Mapping[str, Any] | None = None,
) -> Record:  # fmt: skip
    """Record what the gates said; the sequence of this record is what an approval is given for.

    :param rollout: What a challenger's rollout was, when this examination, on live rows, ends it.
    :raises WriteConflict: If the champion it was compared with is champion no more: examine it again.
    """
    if examination.outcome != overall(examination.verdicts):
        raise ValueError(f"an examination whose verdicts do not add up to {examination.outcome}")
    facts, same = _facts(lake, case, examination), list[Record]()
    facts |= {"rollout": rollout} if rollout else {}

    def expect(state: State) -> None:
        last = grounds.newest_gated(state, candidate, partition)
        decided = grounds.settled(state, candidate, partition)  # by an equal attempt, running at the same time
        if rollout and decided and decided.outcome == "challenger":
            decided = None
        if not decided:
            grounds.demand_champion(state, examination.champion)
        if last is not None and (decided or _said(last.facts) == _said(facts)):
            same.append(last)
            raise _Needless

    about: dict[str, Any] = {"model": checked(candidate), "partition": partition, "who": who}
    return _once(lake, case, "gated", _verdict(examination), facts, expect, same, about)


def answer(lake: Lake, case: UseCase, approval: Approval, *, partition: str) -> Record:
    """Record what a person said, under their name; `promote` finds it here and nowhere else.

    It counts for the model and the examination they were shown, so the same answer brought again decides nothing new.
    """
    yes, facts = approval.decision == "approved", _answers(approval.gated, approval)
    same: list[Record] = []

    def expect(state: State) -> None:
        same.extend(r for r in state.records if r.facts.get("approval") == facts["approval"])
        if same:
            raise _Needless

    why = f"{approval.by} {'approved' if yes else 'rejected'} it"
    about = {"model": checked(approval.digest), "partition": partition, "who": approval.by}
    return _once(lake, case, "approved" if yes else "rejected", why, facts, expect, same, about)


def promote(
    lake: Lake, registry: Registry, case: UseCase, candidate: str, *, partition: str, who: str
) -> Promotion:  # fmt: skip
    """Make a candidate champion, or challenger where there is a rollout, as the ledger's evidence says; or reject it.

    :raises ModelRejected: If it was not examined at this partition.
    :raises WriteConflict: If the champion it was compared with is champion no more: examine it again.
    """
    settled = decide(lake, case, candidate, partition=partition, who=who)
    return _followed(Ledger(lake, case.name), registry, settled, who)


def decide(lake: Lake, case: UseCase, candidate: str, *, partition: str, who: str) -> Settled:
    """Decide in the ledger alone; what `promote` does before it lets the alias follow."""
    ledger = Ledger(lake, case.name)
    state = ledger.state()
    if settled := grounds.settled(state, checked(candidate), partition):
        return settled
    gated = grounds.newest_gated(state, candidate, partition)
    if gated is None:
        raise ModelRejected(
            f"Model {candidate[:12]} was not examined at {partition}.", next_step="run the gates on it first."
        )
    return _decide(ledger, case, gated, state, who)


def rollback(
    lake: Lake, registry: Registry, case: UseCase,
    *, who: str, why: str, verify: Callable[[str], object], leave: str | None = None, partition: str | None = None,
    once: bool = False,
) -> Promotion:  # fmt: skip
    """Go back to the newest earlier champion that `verify` accepts; those it rejects are skipped and named.

    :param verify: Loads the model of a digest; raises `ModelRejected` if it cannot be counted on.
    :param leave: Champion to leave. Give it wherever the step may be retried: another champion is then left alone.
    :param once: Whether `who` names a single run, which goes back once however often it is retried.
    :raises NoChampion: If there is none to go back to; the champion stays.
    """
    ledger = Ledger(lake, case.name)
    state = ledger.state()
    done = [r for r in state.records if once and r.kind == "rolled_back" and r.who == who[:200]]
    if done and state.champion == done[-1].model:
        return _followed(ledger, registry, Settled("rolled_back", done[-1].sequence, done[-1].why), who)
    if done or (leave is not None and leave != state.champion):
        gone = (leave or str(done[-1].facts["left"]))[:12]
        return _followed(ledger, registry, Settled("kept", state.head, f"{gone} is champion no more"), who)
    skipped: dict[str, str] = {}
    for earlier in reversed(state.previous):
        try:
            verify(earlier)
        except ModelRejected as broken:
            skipped[earlier] = broken.what[:150]
            continue
        facts = {"left": state.champion, "skipped": skipped, "origins": grounds.origins(case, state, earlier)}
        record = ledger.append(
            "rolled_back", why=_skipping(why, skipped), who=who, partition=partition, model=earlier, facts=facts,
            expect=lambda present: grounds.demand_champion(present, state.champion), after=state,
        )  # fmt: skip
        return _followed(ledger, registry, Settled("rolled_back", record.sequence, record.why), who)
    raise NoChampion(
        _skipping(f"{case.name} has no earlier champion to go back to", skipped) + ".",
        next_step="train a new model, or restore the files of an earlier one.",
    )


def withdraw(lake: Lake, case: UseCase, challenger: str, *, why: str, who: str, partition: str) -> bool:
    """Reject a challenger before its rollout is through; say whether it still was challenger."""

    def expect(state: State) -> None:
        if state.challenger != challenger:
            raise _Needless

    about = {"model": challenger, "partition": partition, "who": who}
    return _once(lake, case, "rejected", why, {}, expect, [None], about) is not None


def retire(lake: Lake, case: UseCase, model: str, *, why: str, who: str) -> Record:
    """Take a model out for good: it is neither fallen back to nor promoted again.

    :raises ModelRejected: If it is champion, or the ledger does not know it.
    """
    same: list[Record] = []

    def expect(state: State) -> None:
        if state.champion == model or all(r.model != model for r in state.records):
            what = "is the champion" if state.champion == model else "is not known to the ledger"
            raise ModelRejected(f"Model {model[:12]} {what}.", next_step="roll back first, or check the digest.")
        same.extend(r for r in state.records if r.kind == "retired" and r.model == model)
        if same:
            raise _Needless

    return _once(lake, case, "retired", why, {}, expect, same, {"model": checked(model), "who": who})


def _decide(ledger: Ledger, case: UseCase, gated: Record, state: State, who: str) -> Settled:
    candidate, partition, against = str(gated.model), str(gated.partition), gated.facts["champion"]
    approval = grounds.answered(case, state, gated)
    objection = grounds.retired(state, candidate) or grounds.objection(case, gated, approval)
    kind: Literal["rejected", "promoted", "challenger"] = "rejected" if objection else grounds.rises_as(case, gated)
    if kind == "challenger" and state.challenger:
        kind, objection = "rejected", f"model {state.challenger[:12]} is being rolled out; one at a time"
    facts = {
        **_answers(gated.sequence, approval),
        "champion": against,
        "origins": grounds.origins(case, state, candidate),
    }
    same: list[Settled] = []

    def expect(state: State) -> None:
        refusal = grounds.refused(state, gated, objection) if objection else None
        if earlier := grounds.settled(state, candidate, partition) or refusal:
            same.append(earlier)
            raise _Needless
        if not objection:
            grounds.demand_champion(state, against)
            if grounds.newest_gated(state, candidate, partition) != gated:
                raise grounds.outdated(f"Model {candidate[:12]} was examined again meanwhile.")
            if (kind == "challenger" and state.challenger) or grounds.retired(state, candidate):
                raise grounds.outdated(
                    f"Model {state.challenger} became challenger, or this one was retired, meanwhile."
                )

    about: dict[str, Any] = {"model": candidate, "partition": partition, "who": who}
    try:
        record = ledger.append(kind, why=objection or gated.why, facts=facts, expect=expect, after=state, **about)
    except _Needless:
        return same[-1]
    return Settled(kind, record.sequence, record.why)


def _once(
    lake: Lake, case: UseCase, kind: Kind, why: str, facts: Mapping[str, Any], expect: Callable[[State], None],
    same: list[Any], about: Mapping[str, Any],
) -> Any:  # fmt: skip
    """Append a record, unless `expect` finds that it is needless and leaves in `same` what stands there instead."""
    ledger = Ledger(lake, case.name)
    state = ledger.state()
    origins = grounds.origins(case, state, about["model"])
    if kind == "gated":
        origins["gates"] = digest(_said(facts))
    try:
        return ledger.append(kind, why=why, facts={**facts, "origins": origins}, expect=expect, after=state, **about)
    except _Needless:
        return same[-1]


def _answers(gated: int, approval: Approval | None) -> dict[str, Any]:
    return {"gated": gated, "approval": asdict(approval) if approval else None}


def _followed(ledger: Ledger, registry: Registry, settled: Settled, who: str) -> Promotion:
    champion, reached = alias.follow(ledger, registry, who=who)
    return Promotion(settled.outcome, settled.sequence, settled.why, champion, "follows" if reached else "pending")


def _said(facts: Mapping[str, Any]) -> bytes:
    """What the gates said, without what the record adds to it."""
    return canonical({name: value for name, value in facts.items() if name != "origins"})


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

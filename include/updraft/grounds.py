"""On what grounds a candidate rises or is refused; pure functions over what the ledger says."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from updraft.errors import WriteConflict
from updraft.records import Record, State
from updraft.spec.load import digest as spec_digest
from updraft.spec.model import UseCase

Outcome = Literal["promoted", "challenger", "rejected", "kept", "rolled_back"]


@dataclass(frozen=True)
class Approval:
    """What a person said, and about what.

    :param digest: The model they were shown.
    :param gated: Sequence of the record `gated` they were shown; another examination needs another approval.
    """

    by: str
    decision: Literal["approved", "rejected"]
    digest: str
    gated: int


@dataclass(frozen=True)
class Settled:
    """What is decided, by which record, and why."""

    outcome: Outcome
    sequence: int
    why: str


def settled(state: State, candidate: str, partition: str) -> Settled | None:
    """Find what is decided already: a retry neither promotes twice nor brings back what was rolled back since."""
    own = [r for r in state.records if r.model == candidate]
    crowned = [r for r in own if r.kind in ("promoted", "rolled_back")]
    mine = [r for r in crowned if r.kind == "promoted" and r.partition == partition]
    if mine and state.champion == candidate:
        return Settled("promoted", mine[-1].sequence, mine[-1].why)
    if mine:
        return Settled("kept", mine[-1].sequence, f"promoted by record {mine[-1].sequence} and replaced since")
    if state.champion == candidate:
        return Settled("kept", crowned[-1].sequence, f"champion already, since record {crowned[-1].sequence}")
    tried = [r for r in own if r.kind == "challenger"]
    if state.challenger == candidate:
        return (
            None if tried_out(state, candidate, partition) else Settled("challenger", tried[-1].sequence, tried[-1].why)
        )
    if here := [r for r in tried if r.partition == partition]:
        return Settled("kept", here[-1].sequence, f"challenger by record {here[-1].sequence}, and decided since")
    return None


def tried_out(state: State, candidate: str, partition: str) -> bool:
    """Whether the newest examination at a partition is the one that ended the candidate's rollout."""
    gated = newest_gated(state, candidate, partition)
    return gated is not None and "rollout" in gated.facts


def rises_as(case: UseCase, gated: Record) -> Literal["promoted", "challenger"]:
    """What becomes of a candidate to which nothing is objected: with a rollout, it first stands beside the champion.

    The first champion has nobody to be compared with.
    """
    staged = case.rollout.shadow is not None or case.rollout.canary is not None
    return "challenger" if staged and gated.facts["champion"] and "rollout" not in gated.facts else "promoted"


def origins(case: UseCase, state: State, model: str | None) -> dict[str, str | None]:
    """Digests of everything a decision about a model rests on; null where the ledger knows of none.

    :return: `model`, `data` and `features` it was trained on, `spec` as it is now, and its newest gate result.
    """
    own = [r for r in reversed(state.records) if r.model == model]
    trained = next((r.facts for r in own if r.kind == "trained"), {})
    gated: Mapping[str, Any] = next((r.facts.get("origins", {}) for r in own if r.kind == "gated"), {})
    known = {name: trained.get(name) for name in ("data", "features")}
    return {"model": model, **known, "spec": spec_digest(case), "gates": gated.get("gates")}


def answered(case: UseCase, state: State, gated: Record) -> Approval | None:
    """Find what a person said about an examination; where somebody must be asked, also what they said about another."""
    said = [r.facts["approval"] for r in state.records if r.partition == gated.partition and r.facts.get("approval")]
    own = [a for a in said if (a["digest"], a["gated"]) == (gated.model, gated.sequence)]
    asked = case.rollout.approval == "required"
    return next((Approval(**answer) for answer in reversed(own or (said if asked else []))), None)


def refused(state: State, gated: Record, objection: str) -> Settled | None:
    """Find the same refusal of the same examination."""
    for record in state.records[gated.sequence :]:
        said = (record.kind, record.model, record.facts.get("gated"), record.why)
        if said == ("rejected", gated.model, gated.sequence, objection):
            return Settled("rejected", record.sequence, record.why)
    return None


def retired(state: State, candidate: str) -> str:
    """Say by which record a model was taken out for good; empty when it was not."""
    found = next((r for r in state.records if r.kind == "retired" and r.model == candidate), None)
    return f"retired by record {found.sequence}: {found.why}" if found else ""


def newest_gated(state: State, candidate: str, partition: str) -> Record | None:
    """Find the newest examination of a candidate at a partition."""
    about = (r for r in reversed(state.records) if r.model == candidate and r.partition == partition)
    return next((r for r in about if r.kind == "gated"), None)


def objection(case: UseCase, gated: Record, approval: Approval | None) -> str:
    """Say why this candidate may not rise; empty when it may."""
    if gated.facts["outcome"] != "PASS":
        return gated.why
    if case.gates.dry_run or gated.facts.get("dry_run"):
        return f"a dry run, `gates.dry_run`: nothing is promoted; otherwise {gated.why}"
    if "rollout" in gated.facts:
        return ""  # whoever had to say yes said so before the rollout began
    if approval is None:
        return "nobody approved it in time" if case.rollout.approval == "required" else ""
    if approval.digest != gated.model:
        return f"{approval.by} was shown model {approval.digest[:12]}, not this one"
    if approval.gated != gated.sequence:
        return f"{approval.by} was shown the examination of record {approval.gated}, the newest is {gated.sequence}"
    return "" if approval.decision == "approved" else f"{approval.by} rejected it"


def demand_champion(state: State, expected: str | None) -> None:
    """Stop a decision about another champion than the present one.

    :raises WriteConflict: If `expected` is not champion: the comparison must be made again.
    """
    if state.champion != expected:
        was, now = ((found or "none")[:12] for found in (expected, state.champion))
        raise outdated(f"The decision was about champion {was}, but now it is {now}.")


def outdated(what: str) -> WriteConflict:
    """Tell the caller to look again."""
    return WriteConflict(what, next_step="examine the candidate against the present champion, then promote again.")

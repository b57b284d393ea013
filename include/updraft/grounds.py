"""On what grounds a candidate rises or is refused; pure functions over what the ledger says."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from updraft.errors import WriteConflict
from updraft.records import Record, State
from updraft.spec.model import UseCase

Outcome = Literal["promoted", "rejected", "kept", "rolled_back"]


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
    crowned = [r for r in state.records if r.kind in ("promoted", "rolled_back") and r.model == candidate]
    mine = [r for r in crowned if r.kind == "promoted" and r.partition == partition]
    if mine and state.champion == candidate:
        return Settled("promoted", mine[-1].sequence, mine[-1].why)
    if mine:
        return Settled("kept", mine[-1].sequence, f"promoted by record {mine[-1].sequence} and replaced since")
    if state.champion == candidate:
        return Settled("kept", crowned[-1].sequence, f"champion already, since record {crowned[-1].sequence}")
    return None


def refused(state: State, gated: Record, facts: Mapping[str, Any]) -> Settled | None:
    """Find the same refusal: of the same examination, after the same word of a person."""
    for record in state.records[gated.sequence :]:
        if record.kind == "rejected" and record.model == gated.model and record.facts == facts:
            return Settled("rejected", record.sequence, record.why)
    return None


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

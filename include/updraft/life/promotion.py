"""From evidence to a decision: examine a candidate against the champion, then promote or reject it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from updraft import alias, promote, score
from updraft.errors import ModelRejected
from updraft.lake import Lake
from updraft.ledger import Ledger
from updraft.life import card, shown, train
from updraft.partition import Partition
from updraft.promote import Approval, Promotion
from updraft.spec.model import UseCase

if TYPE_CHECKING:
    from updraft.registry import Registry


def examine(case: UseCase, at: Partition, lake: Lake, trained: Mapping[str, Any], *, who: str) -> dict[str, Any]:
    """Examine a candidate against the present champion and record what the gates said.

    :return: The examination in short, `gated`, the sequence of its record, and `report`, where its card lies.
    :raises WriteConflict: If the champion changes meanwhile; a retry examines against the new one.
    """
    champion = Ledger(lake, case.name).state().champion
    if champion == trained["candidate"]:
        # The same data gave the same model: there is nothing to replace, and nothing to compare it with.
        return {"outcome": "PASS", "because": ["the candidate is the champion already"], "gated": 0}
    evidence = train.gather(case, at, lake, trained, champion=champion)
    found = train.judge(case, lake, evidence)
    if evidence.model is not None and evidence.rows is not None:
        shown.draw(case, lake, evidence.model, evidence.rows)
    record = promote.gate(lake, case, trained["candidate"], found, partition=at.key, who=who)
    card.write(case, at, lake, trained["candidate"])
    return {**found.summary(), "gated": record.sequence, "report": card.key(case, trained["candidate"])}


def conclude(
    case: UseCase,
    at: Partition,
    lake: Lake,
    registry: "Registry",
    candidate: str,
    *,
    who: str,
) -> Promotion:
    """Show the training in the registry, then promote or reject the candidate as the ledger's evidence says.

    :raises RegistryUnavailable: If MLflow is down; the candidate and its evidence wait in the lake.
    """
    shown.log_run(case, at, lake, registry, candidate)
    done = promote.promote(lake, registry, case, candidate, partition=at.key, who=who)
    pages = card.write(case, at, lake, candidate)
    registry.attach(case.name, candidate, {f"card/{name}": content for name, content in pages.items()})
    if done.champion == candidate:
        card.renew(case, lake, registry, Ledger(lake, case.name).state().previous[-1:])
    return done


def answer(case: UseCase, at: Partition, lake: Lake, said: Mapping[str, Any], candidate: str, gated: int) -> Approval:
    """Record what a person answered in the Airflow UI, under their name; what to do about it is decided later."""
    approval = approval_of(said, candidate, gated)
    promote.answer(lake, case, approval, partition=at.key)
    return approval


def approval_of(said: Mapping[str, Any], candidate: str, gated: int) -> Approval:
    """What a person answered in the Airflow UI, bound to the model and the examination they were shown."""
    chosen = list(said.get("chosen_options") or [])
    by = said.get("responded_by_user") or {}
    decision = "approved" if chosen == ["Approve"] else "rejected"
    return Approval(str(by.get("name") or "nobody, in time"), decision, candidate, gated)  # type: ignore[arg-type]


def repair(case: UseCase, lake: Lake, registry: "Registry", *, who: str) -> str | None:
    """Put MLflow's alias back where the ledger says, and record it; say what was found, `None` when all was well."""
    return alias.repair(Ledger(lake, case.name), registry, who=who)


def retire(case: UseCase, lake: Lake, registry: "Registry", model: str, *, who: str, why: str) -> str:
    """Take a model out for good, given how its digest begins; return the digest.

    :raises ModelRejected: If it is champion, or not exactly one model of the ledger begins like that.
    """
    known = {r.model for r in Ledger(lake, case.name).records() if r.model and r.model.startswith(model)}
    if len(known) != 1:
        raise ModelRejected(
            f"{len(known)} models of {case.name} begin with {model[:64]!r}.",
            next_step="give more of the digest, as `updraft ledger show` prints it.",
        )
    (found,) = known
    promote.retire(lake, case, found, why=why, who=who)
    card.renew(case, lake, registry, [found])
    return found


def roll_back(
    case: UseCase,
    lake: Lake,
    registry: "Registry",
    *,
    who: str,
    why: str,
    leave: str | None = None,
    partition: str | None = None,
    once: bool = False,
) -> Promotion:
    """Go back to the newest earlier champion that loads; it counts from the next scoring run.

    :param leave: The champion that was decided on, so that a retry does not go back one more.
    :param once: Whether `who` names a single run, which goes back once however often it is retried.
    :raises NoChampion: If there is none to go back to.
    """
    done = promote.rollback(
        lake,
        registry,
        case,
        who=who,
        why=why,
        leave=leave,
        partition=partition,
        once=once,
        verify=lambda digest: score.fit_to_score(case, digest, lake),
    )
    for newest in [r for r in Ledger(lake, case.name).records() if r.kind == "rolled_back"][-1:]:
        touched = (newest.model, newest.facts["left"], *newest.facts["skipped"])
        card.renew(case, lake, registry, [model for model in touched if model])
    return done

"""How a model starts to count: who is scored beside the champion, which rows it decides, and when that is over.

Pure functions over the ledger's state and the spec, so every run that reads the same records does the same.

`shadow`     a challenger is scored on every row and decides none
`canary`     a challenger is scored on every row and decides those of a share of the entities
`probation`  the champion before is scored on every row, beside the new one, and decides none
`fallback`   a model that stands in for a champion which cannot score decides every row; nothing is compared then

One row per entity counts: that of role `champion`, or `canary` where the challenger decides, or `fallback`.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from updraft.records import Record, State
from updraft.spec.model import UseCase

COUNTING = ("champion", "canary", "fallback")
Way = Literal["shadow", "canary", "probation"]


@dataclass(frozen=True)
class Rollout:
    """A comparison that goes on: `newer` has to show itself against `older` on the same live rows.

    :param since: Sequence of the record that began it.
    :param first: Partition that record stands at; earlier ones may have been trained on. `None` when it names none.
    :param partitions: How many, with mature labels, it is decided on.
    :param share: Share of the entities the challenger decides.
    """

    way: Way
    newer: str
    older: str
    since: int
    first: str | None
    partitions: int
    share: float = 0.0

    @property
    def beside(self) -> str:
        """The model that is scored beside the champion."""
        return self.older if self.way == "probation" else self.newer


def under_way(case: UseCase, state: State) -> list[Rollout]:
    """What is compared at present: a challenger with the champion, and the champion with the one before."""
    return [found for found in (_trial(case, state), _probation(case, state)) if found is not None]


def void(case: UseCase, state: State) -> str:
    """Say why the challenger cannot be compared any more; empty when it can, or when there is none."""
    if state.challenger is None:
        return ""
    began = _newest(state, "challenger", state.challenger)
    against = began.facts.get("champion")
    if against != state.champion:
        return f"{str(against)[:12]}, with which it was to be compared, is champion no more"
    return "" if case.rollout.shadow or case.rollout.canary else "the spec asks for no shadow and no canary any more"


def stand_ins(case: UseCase, state: State, champion: str | None) -> list[tuple[str, str]]:
    """Models that may score in the champion's place, in the spec's order: what each is, and its digest.

    :param champion: The one that cannot score; `None` when there is none.
    """
    good = [("an earlier champion", model) for model in reversed(state.previous) if model != champion]
    learnt = [r for r in state.records if r.kind == "trained" and champion in (None, r.model)]
    trivial = learnt[-1].facts.get("baselines", {}).get("trivial") if learnt else None
    plain = [("the trivial baseline of the same training", str(trivial))] if trivial else []
    return [found for way in case.rollout.fallback for found in (good if way == "last_good" else plain)]


def routed(entities: Iterable[Sequence[object]], *, share: float, salt: str) -> list[bool]:
    """Say of each entity whether the canary decides its row, by a hash that is the same in every run.

    :param salt: The challenger's digest, so that each canary meets other entities.

    >>> routed([("a",), ("b",), ("a",)], share=0.5, salt="m")
    [True, False, True]
    """
    limit = int(share * 2**64)
    return [_place(entity, salt) < limit for entity in entities]


def _place(entity: Sequence[object], salt: str) -> int:
    said = json.dumps([salt, *map(str, entity)]).encode()
    return int.from_bytes(hashlib.sha256(said).digest()[:8])


def _trial(case: UseCase, state: State) -> Rollout | None:
    asked = case.rollout.shadow or case.rollout.canary
    if state.challenger is None or state.champion is None or asked is None or void(case, state):
        return None
    began = _newest(state, "challenger", state.challenger)
    way: Way = "shadow" if case.rollout.shadow else "canary"
    share = case.rollout.canary.share if case.rollout.canary else 0.0
    return Rollout(way, state.challenger, state.champion, began.sequence, began.partition, asked.partitions, share)


def _probation(case: UseCase, state: State) -> Rollout | None:
    rises = [r for r in state.records if r.kind in ("promoted", "rolled_back")]
    if case.rollout.probation is None or not rises or rises[-1].kind != "promoted":
        return None
    began, older = rises[-1], rises[-1].facts.get("champion")
    over = any(r.kind == "decided" and r.facts.get("probation") == began.sequence for r in state.records)
    if over or state.champion is None or older not in state.previous:
        return None
    span = case.rollout.probation.partitions
    return Rollout("probation", state.champion, older, began.sequence, began.partition, span)


def _newest(state: State, kind: str, model: str) -> Record:
    return next(r for r in reversed(state.records) if (r.kind, r.model) == (kind, model))

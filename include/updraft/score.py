"""Features to scores: every feature row of a partition gets a score or a refusal, once, with all its origins.

A partition that has been scored stays as it is: predictions that may have been acted upon are not rewritten when the
champion changes. Only a deliberate rescore replaces them, whole. Where the champion cannot score, another model stands
in for it as the spec says, and its rows say so.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from updraft import features, receipt, rollout
from updraft.errors import FeaturesInvalid, ModelRejected, NoChampion
from updraft.lake import Lake
from updraft.ledger import Ledger
from updraft.model import store
from updraft.model.model import Model
from updraft.prediction import computed, in_roles, schema
from updraft.rows import Rows, digest
from updraft.spec.model import UseCase

__all__ = [
    "Scored",
    "computed", "fit_to_score", "partitions", "pin", "pinned", "read", "reconcile", "schema", "table", "unusable",
]  # fmt: skip

log = logging.getLogger(__name__)

# The roles of one model's rows: that of most rows, and that where a canary decides.
_SIDES = (("champion", "relieved"), ("challenger", "canary"), ("previous", "previous"))
_STANDS_IN = ("fallback", "fallback")


@dataclass(frozen=True)
class Scored:
    """One or more partitions scored whole.

    :param rows: Feature rows seen; always `scored + refused`.
    :param acted: Rows whose score reaches the threshold.
    :param models: Digests of the models whose scores count there.
    :param kept: Whether the scores stood there already and were kept.
    :param fallback: Rows of a model that stands in for the champion, because of `because` if that was found now.
    """

    partitions: int
    rows: int
    scored: int
    refused: int
    acted: int
    models: tuple[str, ...]
    kept: bool
    fallback: int = 0
    because: str = ""


def pin(case: UseCase, lake: Lake) -> str:
    """Digest of the champion, read once per run so that a promotion in between changes nothing.

    :raises NoChampion: If there is none.
    """
    champion = Ledger(lake, case.name).state().champion
    if champion is None:
        raise NoChampion(
            f"No model of {case.name} has been promoted, so nothing can be scored.",
            next_step=f"train one: trigger {case.name}__train or run `updraft run {case.name} train --partition …`.",
        )
    return champion


def pinned(case: UseCase, lake: Lake) -> str:
    """Digest of the champion; empty where there is none and another model may stand in for it.

    :raises NoChampion: If there is neither.
    """
    state = Ledger(lake, case.name).state()
    return "" if state.champion is None and rollout.stand_ins(case, state, None) else pin(case, lake)


def unusable(case: UseCase, champion: str, lake: Lake) -> str:
    """Say why the champion cannot score; empty when it can."""
    try:
        _champion(case, champion, lake)
    except (ModelRejected, NoChampion) as broken:
        return broken.what
    return ""


def table(case: UseCase) -> str:
    """Name of the table of scores."""
    return f"scores/{case.name}"


def partitions(
    case: UseCase, keys: Sequence[str], lake: Lake,
    *, champion: str, rescore: bool = False, who: str = "unnamed", code_version: str = "unversioned",
) -> Scored:  # fmt: skip
    """Score partitions with the model pinned by the caller, or with one that stands in for it, in one commit.

    :param champion: Digest of the model, loaded only after its files match it; empty when there is none.
    :param rescore: Replace scores that stand there already.
    :param who: Run or person that scores, for the receipts.
    :param code_version: Version of the code that scores, for the receipts.
    :raises FeaturesInvalid: If a partition has no features.
    :raises ModelRejected: If the champion cannot score, and none that the spec allows can stand in for it.
    """
    stored = lake.read(features.table(case), keys)
    rows = features.schema(case).empty_table() if stored is None else stored
    _complete(case, keys, rows)
    done = set() if rescore else _scored_already(case, keys, lake)
    todo = [key for key in keys if key not in done]
    because = ""
    if todo:
        own = rows.filter(pc.is_in(rows["partition"], pa.array(todo)))
        model, because = _decider(case, champion, lake)
        made = _score_all(case, own, model, _STANDS_IN, None) if because else _fresh_scores(case, own, model, lake)
        fresh = pa.concat_tables([*made])
        receipt.keep(case, lake, fresh, who=who, code_version=code_version, because=because)
        lake.update(table(case), todo, lambda before: _keep(before, fresh, rescore))
    return _count(read(case, keys, lake), keys, kept=not todo, because=because)


def read(case: UseCase, keys: Sequence[str], lake: Lake) -> Rows | None:
    """The scores that count, one per entity; `None` when nothing was ever scored."""
    stored = lake.read(table(case), keys)
    return None if stored is None else _counting(stored)


def reconcile(case: UseCase, keys: Sequence[str], lake: Lake) -> Scored:
    """Hold the committed scores against the features: every entity once, none more, none less.

    :raises FeaturesInvalid: If a row is missing, or stands there twice.
    """
    by = ["partition", *case.entity]
    asked, answered = lake.read(features.table(case), keys, by), lake.read(table(case), keys)
    if asked is None or answered is None or not _whole(asked, answered, by):
        raise FeaturesInvalid(
            f"The scores of {case.name} for {keys[0]}..{keys[-1]} do not match its feature rows one to one.",
            next_step="run the score stage of these partitions again with `rescore`.",
        )
    return _count(_counting(answered), keys, kept=True)


def _whole(asked: Rows, answered: Rows, by: Sequence[str]) -> bool:
    """Whether every entity has one row that counts, and one of each model wherever that model scored at all."""
    if digest(asked.select(by)) != digest(_counting(answered).select(by)):
        return False
    for roles in (*_SIDES, _STANDS_IN):
        rows = answered.filter(pc.is_in(answered["role"], pa.array(roles)))
        there = asked.filter(pc.is_in(asked["partition"], pc.unique(rows["partition"])))
        if digest(there.select(by)) != digest(rows.select(by)):
            return False
    return True


def _counting(rows: Rows) -> Rows:
    return rows.filter(pc.is_in(rows["role"], pa.array(rollout.COUNTING)))


def _complete(case: UseCase, keys: Sequence[str], rows: Rows) -> None:
    built = set(pc.unique(rows["partition"]).to_pylist())
    if absent := [key for key in keys if key not in built]:
        raise FeaturesInvalid(
            f"There are no features of {case.name} for {', '.join(absent[:10])}.",
            next_step="run the features stage of these partitions first.",
        )


def _scored_already(case: UseCase, keys: Sequence[str], lake: Lake) -> set[str]:
    stored = lake.read(table(case), keys, ["partition"])
    return set() if stored is None else set(pc.unique(stored["partition"]).to_pylist())


def _keep(before: Rows | None, fresh: Rows, rescore: bool) -> Rows:
    """What a partition holds after this write: another run's scores win unless this is a rescore."""
    if before is None or rescore or not len(before):
        return fresh
    theirs = pc.unique(before["partition"])
    return pa.concat_tables(
        [before.select(fresh.column_names), fresh.filter(pc.invert(pc.is_in(fresh["partition"], theirs)))]
    )


def _decider(case: UseCase, champion: str, lake: Lake) -> tuple[Model, str]:
    """The champion; or the first model that can stand in for it, and why it has to."""
    try:
        return _champion(case, champion, lake), ""
    except (ModelRejected, NoChampion) as broken:
        for who, wanted in rollout.stand_ins(case, Ledger(lake, case.name).state(), champion or None):
            try:
                found = fit_to_score(case, wanted, lake)
            except ModelRejected as also:
                log.warning("%s, %s, does not stand in: %s", wanted[:12], who, also)
                continue
            because = f"{broken.what} {wanted[:12]}, {who}, scores in its place."
            log.error("%s", because)
            return found, because
        raise


def _champion(case: UseCase, champion: str, lake: Lake) -> Model:
    return fit_to_score(case, champion or pin(case, lake), lake)


def _fresh_scores(case: UseCase, rows: Rows, champion: Model, lake: Lake) -> Iterator[Rows]:
    """Scores of the champion, and of whoever is compared with it; one of those that fails leaves the champion alone."""
    state = Ledger(lake, case.name).state()
    canary: tuple[str, float] | None = None
    for found in rollout.under_way(case, state):
        if champion.digest not in (found.newer, found.older) or found.beside == champion.digest:
            continue  # decided between the pin and now
        roles = _SIDES[2] if found.way == "probation" else _SIDES[1]
        try:
            model = fit_to_score(case, found.beside, lake)
        except ModelRejected as broken:
            log.warning("%s is not scored beside the champion: %s", found.beside[:12], broken)
            continue
        if found.way == "canary":
            canary = (found.newer, found.share)
        yield from _score_all(case, rows, model, roles, canary)
    yield from _score_all(case, rows, champion, _SIDES[0], canary)


def fit_to_score(case: UseCase, wanted: str, lake: Lake) -> Model:
    """Load a model that can score today's feature rows.

    :raises ModelRejected: If it does not load, or was trained for other features or another label.
    """
    model = store.load(lake, case.name, wanted)
    if model.manifest.fingerprint != features.fingerprint(case):
        raise ModelRejected(
            f"Model {wanted[:12]} was trained on another definition of the features of {case.name}.",
            next_step="train a new model, or restore the definition.",
        )
    if why := model.misfit(case):
        raise ModelRejected(
            f"Model {wanted[:12]} cannot score {case.name}: {why}.",
            next_step="train a new model, or restore the label's kind and classes.",
        )
    return model


def _score_all(
    case: UseCase, rows: Rows, model: Model, roles: tuple[str, str], canary: tuple[str, float] | None
) -> Iterator[Rows]:
    """Scores of one model; of its two roles the second is that on rows which the canary decides."""
    for key in _keys(rows):
        own = rows.filter(pc.equal(rows["partition"], key))
        named = np.full(len(own), roles[0], dtype=object)
        if canary is not None:
            entities = zip(*(own[name].to_pylist() for name in case.entity), strict=True)
            named[rollout.routed(entities, share=canary[1], salt=canary[0])] = roles[1]
        yield in_roles(case, own, model, named)


def _keys(rows: Rows) -> list[str]:
    return sorted(pc.unique(rows["partition"]).to_pylist())


def _count(rows: Rows | None, keys: Sequence[str], *, kept: bool, because: str = "") -> Scored:
    if rows is None:
        return Scored(len(keys), 0, 0, 0, 0, (), kept)
    refused = rows["refused"].drop_null()
    return Scored(
        partitions=len(keys),
        rows=len(rows),
        scored=len(rows) - len(refused),
        refused=len(refused),
        acted=int(pc.sum(rows["acted"]).as_py() or 0),
        models=tuple(sorted(pc.unique(rows["model"]).to_pylist())),
        kept=kept,
        fallback=int(pc.sum(pc.equal(rows["role"], "fallback")).as_py() or 0),
        because=because[:500],
    )

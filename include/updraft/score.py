"""Features to scores: every feature row of a partition gets a score or a refusal, once, with all its origins.

A partition that has been scored stays as it is: predictions that may have been acted upon are not rewritten when the
champion changes. Only a deliberate rescore replaces them, whole.
"""

import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from updraft import features, receipt, rollout
from updraft.errors import FeaturesInvalid, ModelRejected, NoChampion
from updraft.lake import Lake
from updraft.ledger import Ledger
from updraft.model import store
from updraft.model.model import Model
from updraft.rows import Rows, digest
from updraft.spec.model import UseCase

if TYPE_CHECKING:
    from pandas import DataFrame

log = logging.getLogger(__name__)

# The roles of one model's rows: that of most rows, and that where a canary decides.
_SIDES = (("champion", "relieved"), ("challenger", "canary"), ("previous", "previous"))


@dataclass(frozen=True)
class Scored:
    """One or more partitions scored whole.

    :param rows: Feature rows seen; always `scored + refused`.
    :param acted: Rows whose score reaches the threshold.
    :param models: Digests of the models whose scores count there.
    :param kept: Whether the scores stood there already and were kept.
    """

    partitions: int
    rows: int
    scored: int
    refused: int
    acted: int
    models: tuple[str, ...]
    kept: bool


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


def table(case: UseCase) -> str:
    """Name of the table of scores."""
    return f"scores/{case.name}"


def schema(case: UseCase) -> pa.Schema:
    """Columns of the scores table: who, how likely, what to do, why, and by what it was computed.

    `score` is the probability, of several classes that of the `predicted` one, or the predicted number.
    """
    shape = features.schema(case)
    entity = [shape.field(name) for name in case.entity]
    text = [pa.field(name, pa.string()) for name in ("reasons", "refused", "role", "model", "fingerprint", "data")]
    numbers = [pa.field("score", pa.float64()), pa.field("acted", pa.bool_())]
    numbers += [pa.field(name, pa.string()) for name in ("predicted", "probabilities") if case.label.classes]
    return pa.schema([*entity, shape.field("event_time"), *numbers, *text, pa.field("partition", pa.string())])


def partitions(
    case: UseCase, keys: Sequence[str], lake: Lake,
    *, champion: str, rescore: bool = False, who: str = "unnamed", code_version: str = "unversioned",
) -> Scored:  # fmt: skip
    """Score partitions with the model pinned by the caller, and write them in one commit.

    :param champion: Digest of the model; loaded only after its files match it.
    :param rescore: Replace scores that stand there already.
    :param who: Run or person that scores, for the receipts.
    :param code_version: Version of the code that scores, for the receipts.
    :raises FeaturesInvalid: If a partition has no features.
    """
    stored = lake.read(features.table(case), keys)
    rows = features.schema(case).empty_table() if stored is None else stored
    _complete(case, keys, rows)
    done = set() if rescore else _scored_already(case, keys, lake)
    todo = [key for key in keys if key not in done]
    if todo:
        own = rows.filter(pc.is_in(rows["partition"], pa.array(todo)))
        fresh = pa.concat_tables([*_fresh_scores(case, own, champion, lake)])
        receipt.keep(case, lake, fresh, who=who, code_version=code_version)
        lake.update(table(case), todo, lambda before: _keep(before, fresh, rescore))
    return _count(read(case, keys, lake), keys, kept=not todo)


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
    for roles in _SIDES:
        rows = answered.filter(pc.is_in(answered["role"], pa.array(roles)))
        there = asked.filter(pc.is_in(asked["partition"], pc.unique(rows["partition"])))
        if digest(there.select(by)) != digest(rows.select(by)):
            return False
    return True


def _counting(rows: Rows) -> Rows:
    return rows.filter(pc.is_in(rows["role"], pa.array(rollout.COUNTING)))


def computed(case: UseCase, rows: Rows, model: Model, role: str = "champion") -> Rows:
    """Scores that a model gives to all feature rows of a partition in a role, in their order; nothing is written."""
    return _score_one(case, rows, model, np.full(len(rows), role, dtype=object))


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


def _fresh_scores(case: UseCase, rows: Rows, champion: str, lake: Lake) -> Iterator[Rows]:
    """Scores of the champion, and of whoever is compared with it; one of those that fails leaves the champion alone."""
    state = Ledger(lake, case.name).state()
    canary: tuple[str, float] | None = None
    for found in rollout.under_way(case, state):
        if champion not in (found.newer, found.older) or found.beside == champion:
            continue  # decided between the pin and now
        roles = _SIDES[2] if found.way == "probation" else _SIDES[1]
        try:
            model = _model(case, found.beside, lake)
        except ModelRejected as broken:
            log.warning("%s is not scored beside the champion: %s", found.beside[:12], broken)
            continue
        if found.way == "canary":
            canary = (found.newer, found.share)
        yield from _score_all(case, rows, model, roles, canary)
    yield from _score_all(case, rows, _model(case, champion, lake), _SIDES[0], canary)


def _model(case: UseCase, wanted: str, lake: Lake) -> Model:
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
        yield _score_one(case, own, model, named)


def _keys(rows: Rows) -> list[str]:
    return sorted(pc.unique(rows["partition"]).to_pylist())


def _score_one(case: UseCase, rows: Rows, model: Model, roles: "np.ndarray[Any, Any]") -> Rows:
    frame = rows.to_pandas()
    refused = _refusals(frame, model)
    fit = frame[refused == ""]
    predicted = model.predict(fit)
    score, acted = np.full(len(frame), np.nan), np.zeros(len(frame), dtype=bool)
    score[refused == ""] = predicted if predicted.ndim == 1 else predicted.max(axis=1)
    # Nobody acts on a row that does not count, even who forgets to look at the role.
    counts = np.isin(roles, rollout.COUNTING)
    acted[refused == ""] = model.acts(predicted)
    acted &= counts
    columns: dict[str, Any] = {
        **{name: rows[name] for name in (*case.entity, "event_time", "fingerprint", "partition")},
        "score": pa.array(score, from_pandas=True),
        "acted": pa.array(acted),
        "reasons": pa.array(_reasons(case, frame, counts & (refused == ""), acted, model), pa.string()),
        "refused": pa.array([why or None for why in refused], pa.string()),
    }
    columns |= _classes(model, refused, predicted) if case.label.classes else {}
    columns["role"] = pa.array(roles, pa.string())
    stamps = {"model": model.digest, "data": digest(rows)}
    columns |= {name: pa.array([value] * len(rows), pa.string()) for name, value in stamps.items()}
    return pa.table([columns[f.name] for f in schema(case)], schema=schema(case))


def _classes(model: Model, refused: "np.ndarray[Any, Any]", predicted: "np.ndarray[Any, Any]") -> dict[str, Any]:
    """The likeliest class of each row, and the probability of every class as JSON."""
    names = model.manifest.classes
    told: dict[str, list[str | None]] = {"predicted": [None] * len(refused), "probabilities": [None] * len(refused)}
    for place, answer, row in zip(np.flatnonzero(refused == ""), model.answers(predicted), predicted, strict=True):
        told["predicted"][place] = str(answer)
        told["probabilities"][place] = json.dumps(dict(zip(names, row.tolist(), strict=True)))
    return {name: pa.array(values, pa.string()) for name, values in told.items()}


def _refusals(frame: "DataFrame", model: Model) -> "np.ndarray[Any, Any]":
    """Why each row cannot be scored, empty when it can: a model turns an infinite input into a confident answer."""
    why = np.full(len(frame), "", dtype=object)
    for name, kind in model.manifest.features:
        if kind == "number" and name in frame:
            why[np.isinf(frame[name].to_numpy(float))] = f"{name} is infinite"
    return why


def _reasons(
    case: UseCase, frame: "DataFrame", scored: "np.ndarray[Any, Any]", acted: "np.ndarray[Any, Any]", model: Model
) -> list[str | None]:
    """Top three reasons as JSON, for the rows the spec asks them for."""
    wanted = scored & (acted if case.rollout.reasons == "acted_on" else True)
    given: list[str | None] = [None] * len(frame)
    explained = model.reasons(frame[wanted], top=3) if wanted.any() else []
    for place, reasons in zip(np.flatnonzero(wanted), explained, strict=True):
        given[place] = json.dumps([[name, round(weight, 6)] for name, weight in reasons])
    return given


def _count(rows: Rows | None, keys: Sequence[str], *, kept: bool) -> Scored:
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
    )

"""What a model says about feature rows: a score or a refusal for each, with its reasons and its origins."""

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from updraft import features, rollout
from updraft.model.model import Model
from updraft.rows import Rows, digest
from updraft.spec.model import UseCase

if TYPE_CHECKING:
    from pandas import DataFrame


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


def computed(case: UseCase, rows: Rows, model: Model, role: str = "champion") -> Rows:
    """Scores that a model gives to all feature rows of a partition in a role, in their order; nothing is written."""
    return in_roles(case, rows, model, np.full(len(rows), role, dtype=object))


def in_roles(case: UseCase, rows: Rows, model: Model, roles: "np.ndarray[Any, Any]") -> Rows:
    """Scores that a model gives to feature rows, each in its own role."""
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

"""Which prediction is meant: the values of the entity's columns, and the row of the scores they name."""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from updraft.errors import PredictionMissing
from updraft.rollout import COUNTING
from updraft.rows import Rows
from updraft.spec.model import UseCase

_NEXT = "name the entity as the scores table does; `updraft status` lists the partitions that are scored."


def entity(case: UseCase, text: str) -> dict[str, str]:
    """Values by column from `a,b` in the order of the entity, or `name=value,name=value` in any order.

    :raises PredictionMissing: If the values are not those of the entity's columns.
    """
    names = list(case.entity)
    parts = [text] if len(names) == 1 else text.split(",")
    pairs = [part.partition("=") for part in parts]
    if all(sign and name in names for name, sign, _ in pairs):
        found = {name: value for name, _, value in pairs}
    else:
        found = dict(zip(names, parts, strict=False))
    if len(parts) != len(names) or set(found) != set(names):
        raise PredictionMissing(
            f"{text[:80]!r} does not name an entity of {case.name}, which has {', '.join(names)}.",
            next_step=f"write {','.join(f'{name}=…' for name in names)}, or the values alone in this order.",
        )
    return found


def rows_of(rows: Rows, values: Mapping[str, str]) -> Rows:
    """Rows whose columns have these values; a text that is no value of its column is in no row."""
    kept = rows
    for name, text in values.items():
        try:
            wanted = pa.scalar(text).cast(kept.schema.field(name).type)
        except pa.ArrowInvalid:
            return rows.slice(0, 0)
        kept = kept.filter(pc.equal(kept[name], wanted))
    return kept


def prediction(case: UseCase, key: str, scores: Rows | None, values: Mapping[str, str]) -> dict[str, Any]:
    """The row of an entity's prediction: the one that counts, where others were scored beside it.

    :raises PredictionMissing: If there is none.
    """
    told = ", ".join(values.values())[:80]
    if scores is None or not len(scores):
        raise PredictionMissing(f"Nothing of {case.name} is scored in {key}.", next_step=_NEXT)
    mine = rows_of(scores, values).to_pylist()
    if not mine:
        raise PredictionMissing(f"{key} has {len(scores)} scores, none of {told!r}.", next_step=_NEXT)
    return next((row for row in mine if row["role"] in COUNTING), mine[0])

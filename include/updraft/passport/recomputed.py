"""Computed again: the score from the feature row by the model, and the feature row from the raw tables."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from updraft import features
from updraft.errors import ModelRejected, UpdraftError
from updraft.passport import asked
from updraft.passport.check import Check, broken
from updraft.passport.scene import Scene
from updraft.rows import Rows, digest

Row = Mapping[str, Any]
_OF_A_SCORE = ("score", "acted", "reasons", "refused", "event_time", "model", "fingerprint", "data")


def checks(scene: Scene, row: Row, values: Mapping[str, str]) -> Iterator[Check]:
    """Hold one prediction against what its model and its sources give now."""
    yield from _definition(scene)
    yield from _shared(scene)
    yield from _feature_rows(scene)
    yield from _feature_row(scene, values)
    yield from _score(scene, row, values)
    yield _receipt(scene)


def same(one: Any, other: Any) -> bool:
    """Whether two values are equal to the last bit; missing is equal to missing."""
    if isinstance(one, float) and isinstance(other, float):
        return one == other or (math.isnan(one) and math.isnan(other))
    return bool(one == other)


def only(rows: Rows, values: Mapping[str, str]) -> dict[str, Any] | None:
    """The one row of an entity."""
    found = asked.rows_of(rows, values).to_pylist()
    return found[0] if len(found) == 1 else None


def _definition(scene: Scene) -> Iterator[Check]:
    said = scene.fingerprint[:12]
    if scene.same_definition:
        yield Check("definition", "holds", f"the features are defined as they were, fingerprint {said}")
    else:
        what = "the features are defined otherwise by now, so the feature row cannot be computed again"
        yield Check("definition", "unknown", what, said, _today(scene))


def _today(scene: Scene) -> str:
    try:
        return features.fingerprint(scene.case)[:12]
    except UpdraftError as refused:
        return refused.what[:200]


def _shared(scene: Scene) -> Iterator[Check]:
    for name, stored, computed in scene.shared if scene.same_definition else ():
        if isinstance(computed, UpdraftError):
            yield Check("shared features", "unknown", f"{name} cannot be computed again: {computed.what}")
        elif digest(stored) == digest(computed):
            what = f"{name}: {len(stored)} rows come out of the raw rows again"
            yield Check("shared features", "holds", what, recomputed=True)
        else:
            what = f"{name} is not what comes out of the raw rows"
            yield broken("shared features", what, digest(computed), digest(stored), recomputed=True)


def _feature_rows(scene: Scene) -> Iterator[Check]:
    """The feature rows as a whole: they are those the scores name."""
    if scene.stored_digest == scene.data:
        yield Check("features", "holds", f"the {len(scene.stored)} feature rows are those that were scored")
        return
    what = "the feature rows are not those that were scored"
    if not scene.rebuilt_on_record:
        yield broken("features", what, scene.data, scene.stored_digest)
        return
    what += ": they were computed anew on record, since rows came late"
    again = digest(scene.as_scored) == scene.data
    yield Check(
        "features", "unknown", f"{what}; those that were scored {'come out' if again else 'do not come out'} again"
    )


def _feature_row(scene: Scene, values: Mapping[str, str]) -> Iterator[Check]:
    """The feature row of the entity: its values come out of the raw rows again."""
    stored = only(scene.stored, values)
    if stored is None:
        yield broken("features", "the entity does not have exactly one feature row", "1 row", "another number")
        return
    if not scene.same_definition:
        return
    if isinstance(scene.rebuilt, UpdraftError):
        what = f"the feature row cannot be computed again: {scene.rebuilt.what}"
        yield broken("features", what, "a row", "none", recomputed=True)
        return
    differing = _differences(scene, stored, only(scene.rebuilt, values))
    told = "all values of the feature row come out of the raw rows again"
    if differing and scene.late and not isinstance(scene.rebuilt_in_time, UpdraftError):
        differing = _differences(scene, stored, only(scene.rebuilt_in_time, values))
        told += f", without the {len(scene.late)} deliveries on record as late for this partition"
    if not differing:
        yield Check("features", "holds", told, recomputed=True)
    for name, (expected, found) in differing.items():
        what = f"feature {name} is not what comes out of the raw rows"
        yield broken("features", what, expected, found, recomputed=True)


def _differences(scene: Scene, stored: Row, computed: Row | None) -> dict[str, tuple[Any, Any]]:
    """What should be there and what is, by column."""
    if computed is None:
        return {"row": ("no feature row of this entity", "one")}
    names = features.schema(scene.case).names
    return {name: (computed[name], stored.get(name)) for name in names if not same(computed[name], stored.get(name))}


def _score(scene: Scene, row: Row, values: Mapping[str, str]) -> Iterator[Check]:
    gone = scene.rebuilt_on_record and digest(scene.as_scored) != scene.data
    if gone or isinstance(scene.loaded, ModelRejected):
        what = "feature row" if gone else "model"
        yield Check("scores", "unknown", f"the score cannot be computed again without its {what}")
        return
    computed = None if scene.recomputed is None else only(scene.recomputed, values)
    if computed is None:
        yield broken("scores", "the feature rows give no score of this entity", row["score"], None, recomputed=True)
        return
    # The row names its origins; those of the recomputation are the present ones, and `features` tells them apart.
    names = [name for name in _OF_A_SCORE if name not in ("data", "fingerprint") and name in row]
    wrong = {name: (computed[name], row[name]) for name in names if not same(computed[name], row[name])}
    for name, (expected, found) in wrong.items():
        what = f"{name} is not what the model gives for the feature row"
        yield broken("scores", what, expected, found, recomputed=True)
    if not wrong:
        what = f"the model gives {row['score']!r} for the feature row again, and the same reasons"
        yield Check("scores", "holds", what, recomputed=True)


def _receipt(scene: Scene) -> Check:
    found, changed = scene.receipts
    if changed:
        return broken("scores", f"the receipt {changed[0]} was changed", "content that fits its name", "other")
    if found:
        return Check("scores", "holds", f"the {len(scene.scores)} scores are those of the receipt of {found[0].at}")
    if scene.receipted:
        what = "the scores of this partition were changed since they were written"
        return broken("scores", what, scene.receipted, digest(scene.scores))
    return Check("scores", "unknown", "these scores have no receipt: they were written by an older version")

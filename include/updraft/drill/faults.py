"""What is broken in a copy, and which signs must and may come of it.

Where a fault is drift, values are drawn anew from those that were there, more often from one end: they stay in their
range and have the same shape, as when the world has moved and the feed is sound.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from updraft.drill.scene import Breaks, Scene
from updraft.drill.signs import Sign
from updraft.rows import Rows

if TYPE_CHECKING:
    from pandas import Series

_TILT = 5  # a value is the largest of so many draws: a population stability index of about 2 over tenths
_UNITS = 1000.0
_FEATURES = frozenset({"feature_drift", "multivariate_drift"})


@dataclass(frozen=True)
class Fault:
    """A known fault, ready to be put into a copy.

    :param what: What is broken, in words.
    :param must: Signs that must stand there; one that cannot be judged leaves the fault unseen.
    :param also: Signs that must stand there as well where the monitor looks for them, and can judge them.
    :param may: Kinds of alarms that may follow from it.
    :param action: What the controller must do about it, if only one thing is right.
    :param never: What the controller must not do.
    """

    name: str
    what: str
    breaks: Breaks = field(default_factory=dict)
    silent: bool = False
    must: tuple[Sign, ...] = ()
    also: tuple[Sign, ...] = ()
    may: frozenset[str] = frozenset()
    action: str = ""
    never: str = ""


@dataclass(frozen=True)
class Unstageable:
    """A fault that cannot be put into this use case, and why."""

    name: str
    why: str


def faults(
    seen: Scene, moved: Collection[str] = (), limits: Mapping[str, float] = MappingProxyType({})
) -> list[Fault | Unstageable]:
    """Every fault, staged for a scene.

    :param moved: Features that drift already; others are broken where there are any, or nothing new could be seen.
    :param limits: How far a number must move to drift, in standard deviations: the one that needs least is broken.
        What the seasons move further than any tilt cannot show that the monitor is awake.
    """
    known = [name for name in seen.ranked if name in seen.case.features]
    names = sorted(known, key=lambda name: (name in moved, limits.get(name, 0.0)))
    on_features = [stage(seen, names) for stage in (_number, _category, _everything, _missing, _unit)]
    return [*on_features, _scores(seen), _outage(seen), _flipped(seen)]


def _number(seen: Scene, names: Sequence[str]) -> Fault | Unstageable:
    name = _first(seen, names, "number")
    if name is None:
        return Unstageable("shifted number", "the champion has no feature that is a number")
    what = f"{name} takes more of its high values"
    return _drift(seen, "shifted number", what, {name: _tilted(seen)}, must=(Sign("feature", name),))


def _category(seen: Scene, names: Sequence[str]) -> Fault | Unstageable:
    name = _first(seen, names, "category")
    if name is None:
        return Unstageable("swapped shares", "the champion has no feature that is a category")
    what = f"the rarest level of {name} takes three of four rows"
    return _drift(seen, "swapped shares", what, {name: _rarest_first(seen)}, must=(Sign("feature", name),))


def _everything(seen: Scene, names: Sequence[str]) -> Fault:
    kinds = {"number": _tilted, "category": _rarest_first}
    change = {name: kinds[seen.case.features[name].type](seen) for name in names}
    also = (Sign("alarm", "multivariate_drift"),)
    must = (Sign("alarm", "feature_drift"),)
    return _drift(seen, "drift of all features", "every feature drifts", change, must=must, also=also)


def _drift(
    seen: Scene, name: str, what: str, change: Mapping[str, Any], *, must: tuple[Sign, ...], also: tuple[Sign, ...] = ()
) -> Fault:
    # The errors of numbers are estimated from features, those of classes from scores alone.
    may = _FEATURES | ({"estimated_performance"} if seen.case.problem.kind == "regression" else set())
    return Fault(name, what, {"features": _columns(change)}, must=must, also=also, may=may, never="quarantine")


def _scores(seen: Scene) -> Fault:
    may = {"calibration", "estimated_performance", *(["performance"] if seen.case.problem.kind == "regression" else [])}
    must = (Sign("alarm", "prediction_drift"),)
    classes, threshold = bool(seen.case.label.classes), seen.case.problem.threshold

    def broken(rows: Rows) -> Rows:
        if classes:
            return _columns({"predicted": _rarest_first(seen)})(rows)
        moved = _columns({"score": _ranked_up})(rows)
        acted = pa.array([None if s is None else s >= threshold for s in moved["score"].to_pylist()], pa.bool_())
        return moved.set_column(moved.column_names.index("acted"), "acted", acted)

    what = "every score is higher, in the same order"
    if classes:
        what = "the rarest class is predicted three times of four"
    return Fault("score drift", what, {"scores": broken}, must=must, may=frozenset(may), never="quarantine")


def _missing(seen: Scene, names: Sequence[str]) -> Fault | Unstageable:
    if not names:
        return Unstageable("values missing", "the champion has no feature of the use case")
    name = names[0]
    must = (Sign("feed", name, "missing_psi"),)
    change = {name: lambda column: column.where(column.isna() & column.notna())}
    what = f"all values of {name} are missing"
    return Fault("values missing", what, {"features": _columns(change)}, must=must, may=_FEATURES, action="quarantine")


def _unit(seen: Scene, names: Sequence[str]) -> Fault | Unstageable:
    name = _first(seen, names, "number")
    if name is None:
        return Unstageable("unit changed", "the champion has no feature that is a number")
    must = (Sign("feature", name), Sign("feed", name, "broken_feed"))
    what = f"{name} is {_UNITS:g} times as large"
    change = {name: lambda column: column * _UNITS}
    return Fault("unit changed", what, {"features": _columns(change)}, must=must, may=_FEATURES)


def _outage(seen: Scene) -> Fault | Unstageable:
    if not any(seen.silenced.values()):
        return Unstageable("label outage", "no label is mature yet")
    what = f"no label of {len(seen.mature)} mature partitions has come"
    breaks: Breaks = {"labels": lambda rows: rows.slice(0, 0)}
    also = (Sign("alarm", "label_outage"),)
    return Fault("label outage", what, breaks, silent=True, must=(Sign("silence"),), also=also, never="retrain")


def _flipped(seen: Scene) -> Fault:
    may = frozenset({"calibration", "estimated_performance"})
    must = (Sign("alarm", "performance"),)
    what = "the labels say the opposite"
    return Fault("performance loss", what, {"labels": _opposite(seen)}, must=must, may=may, never="quarantine")


def _first(seen: Scene, names: Sequence[str], kind: str) -> str | None:
    """The first feature of a kind."""
    return next((name for name in names if seen.case.features[name].type == kind), None)


def _columns(change: Mapping[str, Callable[["Series[Any]"], "Series[Any]"]]) -> Callable[[Rows], Rows]:
    """Change columns of rows; their types stay."""

    def broken(rows: Rows) -> Rows:
        for name, changed in change.items():
            kind, place = rows.schema.field(name).type, rows.column_names.index(name)
            values = pa.array(changed(rows[name].to_pandas()), kind, from_pandas=True)
            rows = rows.set_column(place, name, values)
        return rows

    return broken


def _tilted(seen: Scene) -> Callable[["Series[Any]"], "Series[Any]"]:
    """Draw values anew, the largest of several; what is missing stays missing."""

    def changed(column: "Series[Any]") -> "Series[Any]":
        there, draw = np.sort(column.dropna().to_numpy()), np.random.default_rng(seen.case.model.seed)
        if not len(there):
            return column
        drawn = there[draw.integers(0, len(there), (_TILT, len(column))).max(axis=0)]
        return column.where(column.isna(), drawn)

    return changed


def _rarest_first(seen: Scene) -> Callable[["Series[Any]"], "Series[Any]"]:
    """Give three of four rows the level that the fewest have; half of them may be chance in a small lake."""

    def changed(column: "Series[Any]") -> "Series[Any]":
        levels = column.value_counts()
        if not len(levels):
            return column
        taken = np.random.default_rng(seen.case.model.seed).random(len(column)) < 0.75
        return column.mask(taken & column.notna().to_numpy(), sorted(levels.index[levels == levels.min()])[0])

    return changed


def _ranked_up(column: "Series[Any]") -> "Series[Any]":
    """Give every row a higher one of the scores that were given, in the same order."""
    places = column.rank(pct=True, method="first") ** (1 / _TILT)
    return places.map(lambda place: column.quantile(place), na_action="ignore")


def _opposite(seen: Scene) -> Callable[[Rows], Rows]:
    """Turn labels round: yes to no, each class to the next, a number to the other end of their range."""
    classes = seen.case.label.classes
    following = dict(zip(classes, (*classes[1:], *classes[:1]), strict=True))

    def changed(column: "Series[Any]") -> "Series[Any]":
        return column.map(following) if classes else column.max() + column.min() - column

    return _columns({seen.case.label.column: changed})

"""Slices that mean the same in every window, so that what is measured of them can be followed over time."""

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

import numpy as np

from updraft.evidence.slices import Slice, cuts, declared, parted
from updraft.spec.slices import Slices

if TYPE_CHECKING:
    from pandas import DataFrame

REST = "anything else"


def frozen(frame: "DataFrame", slices: Slices) -> Slices:
    """Put edges, taken from `frame`, where the spec only says how many parts of equal size there are."""
    edges = {name: cuts(frame[name], cut) for name, cut in slices.cut.items() if isinstance(cut, int)}
    return with_edges(slices, edges)


def with_edges(slices: Slices, edges: Mapping[str, tuple[float, ...]]) -> Slices:
    """The same slices, with these edges in place of numbers of parts."""
    return slices.model_copy(update={"cut": {**slices.cut, **edges}})


def named(frame: "DataFrame", slices: Slices, own: Collection[str]) -> list[Slice]:
    """The declared slices of rows: parts that are followed by themselves, the others of a feature together, conditions.

    :param own: Names of parts that are followed, whether `frame` has rows of them or not; of a feature without any,
        those that have rows enough.
    """
    found = [one for feature in (*slices.by, *slices.cut) for one in _parts(frame, slices, feature, own)]
    return [*found, *declared(frame, slices.model_copy(update={"by": (), "cut": {}}))]


def _parts(frame: "DataFrame", slices: Slices, feature: str, own: Collection[str]) -> list[Slice]:
    parts, rest = parted(frame, slices, feature), f"{feature} is {REST}"
    names = [f"{feature} is {name}" for name in parts.names]
    known = [name for name in own if name.startswith(f"{feature} is ") and name != rest]
    large = [name for name, rows in zip(names, parts.rows, strict=True) if rows >= slices.min_rows]
    called = np.array(names, dtype=object)[parts.codes]
    found = [Slice(name, called == name) for name in sorted(known or large)]
    others = ~np.isin(called, known or large)
    return [*found, Slice(rest, others)] if others.any() else found

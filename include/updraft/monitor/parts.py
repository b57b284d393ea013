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


def large(frame: "DataFrame", slices: Slices) -> set[str]:
    """Names of the parts that have rows enough to be followed by themselves."""
    return {f"{feature} is {name}" for feature, name, rows in _sized(frame, slices) if rows >= slices.min_rows}


def named(frame: "DataFrame", slices: Slices, own: Collection[str]) -> list[Slice]:
    """The declared slices of rows: parts that are among `own`, all other parts of a feature together, and conditions.

    :param own: Names of parts that are followed by themselves, whether `frame` has rows of them or not.
    """
    found: list[Slice] = []
    for feature in (*slices.by, *slices.cut):
        parts = parted(frame, slices, feature)
        called = np.array([f"{feature} is {name}" for name in parts.names], dtype=object)[parts.codes]
        mine = [name for name in own if name.startswith(f"{feature} is ") and name != f"{feature} is {REST}"]
        found += [Slice(name, called == name) for name in sorted(mine)]
        rest = ~np.isin(called, mine)
        found += [Slice(f"{feature} is {REST}", rest)] if rest.any() else []
    where = slices.model_copy(update={"by": (), "cut": {}})
    return [*found, *declared(frame, where)]


def _sized(frame: "DataFrame", slices: Slices) -> list[tuple[str, str, int]]:
    each = {feature: parted(frame, slices, feature) for feature in (*slices.by, *slices.cut)}
    return [
        (feature, name, int(rows))
        for feature, parts in each.items()
        for name, rows in zip(parts.names, parts.rows, strict=True)
    ]

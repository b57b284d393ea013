"""Which rows are in which slice: levels and ranges of features, and conditions, as a spec declares them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from updraft.spec.slices import Inside, Parts, Slices

if TYPE_CHECKING:
    import pandas as pd

_NAMED = 5
MISSING = "missing"


@dataclass(frozen=True, eq=False)
class Slice:
    """Some of the rows.

    :param name: Which they are, in words that follow "where".
    :param at: Whether each row is one of them (n,).
    """

    name: str
    at: NDArray[np.bool_]

    @property
    def rows(self) -> int:
        """How many rows it holds."""
        return int(self.at.sum())


def declared(frame: "pd.DataFrame", slices: Slices) -> list[Slice]:
    """Find the declared slices in rows; every row is in a part of every feature that parts them."""
    features = [*slices.by, *slices.cut]
    parted = [part for name in features for part in pooled(parts(frame, slices, name), name, slices.min_rows)]
    return [*parted, *(Slice(name, _all(frame, inside)) for name, inside in slices.where.items())]


def parts(frame: "pd.DataFrame", declared: Parts, name: str) -> list[Slice]:
    """Part rows by one feature; missing values are a part of their own, and parts without rows are left out."""
    column = frame[name]
    absent = column.isna().to_numpy()
    found = _bins(column.to_numpy(float), declared.cut[name]) if name in declared.cut else _levels(column)
    return [part for part in (*found, Slice(MISSING, absent)) if part.rows]


def pooled(parts: Iterable[Slice], feature: str, least: int) -> list[Slice]:
    """Put the smallest parts together until every part has `least` rows; name each after its feature.

    A level that came up yesterday must not keep every model from promotion, nor go unseen.
    """
    rising = sorted(parts, key=lambda part: (part.rows, part.name))
    pool: list[Slice] = []
    while rising and (not pool or sum(part.rows for part in pool) < least):
        pool.append(rising.pop(0))
    together = Slice(_named(pool), np.logical_or.reduce([part.at for part in pool])) if pool else None
    return [Slice(f"{feature} is {part.name}", part.at) for part in (*reversed(rising), together) if part is not None]


def _named(pool: list[Slice]) -> str:
    names = [part.name for part in reversed(pool)]
    more = [f"one of {len(names) - _NAMED} more"] if len(names) > _NAMED else []
    return " or ".join([*names[:_NAMED], *more])


def _levels(column: "pd.Series[Any]") -> Iterator[Slice]:
    for level in sorted(column.dropna().unique()):
        yield Slice(str(level), (column == level).to_numpy(bool, na_value=False))


def _bins(values: NDArray[np.float64], edges: tuple[float, ...] | int) -> Iterator[Slice]:
    """Cut at edges; a value on an edge is in the bin above it. Equal quantiles make fewer bins than asked for."""
    if isinstance(edges, int):
        known = values[np.isfinite(values)]
        edges = tuple(np.unique(np.quantile(known, np.arange(1, edges) / edges)).tolist()) if len(known) else ()
    for low, high in pairwise((-np.inf, *edges, np.inf)):
        within = (values >= low) & ((values < high) | (high == np.inf))
        yield Slice(_span(low, high), within)


def _span(low: float, high: float) -> str:
    if low == -np.inf:
        return "any number" if high == np.inf else f"below {high:g}"
    return f"{low:g} or more" if high == np.inf else f"{low:g} to below {high:g}"


def _all(frame: "pd.DataFrame", inside: dict[str, Inside]) -> NDArray[np.bool_]:
    return np.logical_and.reduce([_inside(frame[name], asked) for name, asked in inside.items()])


def _inside(column: "pd.Series[Any]", asked: Inside) -> NDArray[np.bool_]:
    if asked.among is not None:
        return column.isin(asked.among).to_numpy(bool)
    low, high = asked.range or (-np.inf, np.inf)
    values = column.to_numpy(float)
    return (values >= low) & (values <= high)

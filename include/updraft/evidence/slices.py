"""Which rows are in which slice: levels and ranges of features, and conditions, as a spec declares them."""

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


@dataclass(frozen=True, eq=False)
class Parted:
    """Rows parted by one feature; each row is in one part.

    :param names: Of the parts; every part has rows.
    :param codes: Which part each row is in (n,).
    """

    names: tuple[str, ...]
    codes: NDArray[np.intp]

    @property
    def rows(self) -> NDArray[np.intp]:
        """Rows per part."""
        return np.bincount(self.codes, minlength=len(self.names))


def declared(frame: "pd.DataFrame", slices: Slices) -> list[Slice]:
    """Find the declared slices in rows; every row is in a part of every feature that parts them."""
    features = [*slices.by, *slices.cut]
    found = [part for name in features for part in pooled(parted(frame, slices, name), name, slices.min_rows)]
    return [*found, *(Slice(name, _all(frame, inside)) for name, inside in slices.where.items())]


def parted(frame: "pd.DataFrame", declared: Parts, name: str) -> Parted:
    """Part rows by one feature; missing values are a part of their own."""
    column = frame[name]
    codes, names = _bins(column, declared.cut[name]) if name in declared.cut else _levels(column)
    codes = np.where(column.isna().to_numpy(), len(names), codes)
    there, again = np.unique(codes, return_inverse=True)
    return Parted(tuple([*names, MISSING][code] for code in there), again)


def pooled(parts: Parted, feature: str, least: int) -> list[Slice]:
    """Put parts with fewer than `least` rows together, and with the next larger if these are too few still.

    A level that came up yesterday must not keep every model from promotion, nor go unseen.
    """
    rows = parts.rows
    largest_first = sorted(range(len(rows)), key=lambda code: (-rows[code], parts.names[code]))
    pool: list[int] = []
    while largest_first and (not pool or rows[largest_first[-1]] < least or rows[pool].sum() < least):
        pool.insert(0, largest_first.pop())
    held = [*([code] for code in largest_first), pool] if pool else []
    return [Slice(f"{feature} is {_named(parts, codes)}", np.isin(parts.codes, codes)) for codes in held]


def _named(parts: Parted, pool: list[int]) -> str:
    more = [f"one of {len(pool) - _NAMED} more"] if len(pool) > _NAMED else []
    return " or ".join([*(parts.names[code] for code in pool[:_NAMED]), *more])


def cuts(column: "pd.Series[Any]", parts: int) -> tuple[float, ...]:
    """Edges between parts of equal size."""
    values = column.to_numpy(float)
    known = values[np.isfinite(values)]
    return tuple(np.unique(np.quantile(known, np.arange(1, parts) / parts)).tolist()) if len(known) else ()


def _levels(column: "pd.Series[Any]") -> tuple[NDArray[np.intp], list[str]]:
    codes, levels = column.factorize(sort=True)
    return codes, [str(level) for level in levels]


def _bins(column: "pd.Series[Any]", edges: tuple[float, ...] | int) -> tuple[NDArray[np.intp], list[str]]:
    """Cut at edges; a value on an edge is in the bin above it. Equal quantiles make fewer bins than asked for."""
    values = column.to_numpy(float)
    if isinstance(edges, int):
        edges = cuts(column, edges)
    names = [_span(low, high) for low, high in pairwise((-np.inf, *edges, np.inf))]
    return np.searchsorted(edges, values, side="right"), names


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

"""Rows per cell of one column: all that monitoring keeps of the rows a champion was trained on."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Kind = Literal["number", "category"]

# 1 % of the 500 rows a look has at least are the 5 rows per cell that the chi-square limit needs (Cochran 1954).
SMALLEST_LEVEL = 0.01


@dataclass(frozen=True)
class Histogram:
    """Rows per cell; the same cells can be counted again in other rows.

    :param kind: How the column is read.
    :param cuts: Numbers: upper edges (included) of all cells but the highest. Categories: the levels with a cell.
    :param counts: Rows per cell: one for each cut, one for the rest (above the last edge, or any other level), and
        one for missing values.
    """

    kind: Kind
    cuts: tuple[float, ...] | tuple[str, ...]
    counts: tuple[int, ...]

    def __post_init__(self) -> None:
        if any(isinstance(cut, str) != (self.kind == "category") for cut in self.cuts):
            raise ValueError(f"cuts of a {self.kind} column are of another kind")
        cuts = np.asarray(self.cuts, dtype=object if self.kind == "category" else float)
        if self.kind == "number" and not np.isfinite(cuts).all():
            raise ValueError("cuts must be finite")
        if not np.all(cuts[:-1] < cuts[1:]):
            raise ValueError("cuts must ascend")
        if len(self.counts) != len(self.cuts) + 2 or min(self.counts) < 0:
            raise ValueError(f"{len(self.cuts)} cuts need {len(self.cuts) + 2} counts that are not negative")

    @property
    def rows(self) -> int:
        """How many rows were counted."""
        return sum(self.counts)

    @cached_property
    def edges(self) -> NDArray[np.float64]:
        """The cuts of numbers (cuts,)."""
        return np.asarray(self.cuts, dtype=float)

    @cached_property
    def _levels(self) -> Any:
        import pandas as pd

        return pd.Index(np.asarray(self.cuts, dtype=object))

    def count(self, values: ArrayLike) -> NDArray[np.int64]:
        """Count other rows into the same cells.

        :param values: One value per row, shape (rows,); numbers that are not finite count as missing.
        :return: Rows per cell, shape (cuts + 2,).
        """
        return np.bincount(self._places(values), minlength=len(self.counts)).astype(np.int64)

    def count_by(self, values: ArrayLike, groups: NDArray[np.intp], count: int) -> NDArray[np.int64]:
        """Count rows of several groups.

        :param groups: Number of each row's group, shape (rows,); rows of a negative one are left out.
        :return: Rows per group and cell, shape (count, cuts + 2).
        """
        inside, cells = groups >= 0, len(self.counts)
        flat = groups[inside] * cells + self._places(values)[inside]
        return np.bincount(flat, minlength=count * cells).reshape(count, cells).astype(np.int64)

    def _places(self, values: ArrayLike) -> NDArray[np.intp]:
        if self.kind == "number":
            return _places_of_numbers(self.edges, values)
        return _places_of_levels(self._levels, values)


def histogram(values: ArrayLike, kind: Kind, *, bins: int = 10) -> Histogram:
    """Choose cells from `values` and count them.

    Numbers get about `bins` cells of equal counts, whose edges are values that occur, so that any strictly increasing
    relabelling gives the same counts. Categories get a cell per level that has at least 1 % of the rows.

    >>> histogram([1, 2, 2, 3, float("nan")], "number")
    Histogram(kind='number', cuts=(1.0, 2.0), counts=(1, 2, 1, 1))
    >>> histogram(["EWR", "JFK", "EWR", None], "category")
    Histogram(kind='category', cuts=('EWR', 'JFK'), counts=(2, 1, 0, 1))
    """
    if kind == "number":
        cuts: tuple[float, ...] | tuple[str, ...] = tuple(_edges(_finite(values), bins).tolist())
    else:
        cuts = tuple(_levels(values))
    empty = Histogram(kind, cuts, (0,) * (len(cuts) + 2))
    return Histogram(kind, cuts, tuple(empty.count(values).tolist()))


def _edges(values: NDArray[np.float64], bins: int) -> NDArray[np.float64]:
    distinct = np.unique(values)
    if len(distinct) <= bins:
        return distinct[:-1]
    ranks = [-(-len(values) * k // bins) - 1 for k in range(1, bins)]
    cuts = np.sort(values)[ranks]
    # A value that fills whole cells gets one of its own: without the edge below it, rarer and lower values would
    # share its cell, and a column that is 1 for 95 % of the rows could fall to 50 % unseen.
    heavy = cuts[1:][cuts[1:] == cuts[:-1]]
    place = np.searchsorted(distinct, heavy)
    edges = np.union1d(cuts, distinct[place[place > 0] - 1])
    below_the_highest: NDArray[np.float64] = edges[edges < distinct[-1]]
    return below_the_highest


def _levels(values: ArrayLike) -> list[str]:
    import pandas as pd

    series = pd.Series(_objects(values))
    shares = series.dropna().astype(str).value_counts() / max(len(series), 1)
    return sorted(str(level) for level in shares.index[shares >= SMALLEST_LEVEL])


def _places_of_numbers(edges: NDArray[np.float64], values: ArrayLike) -> NDArray[np.intp]:
    numbers = np.asarray(values, dtype=float)
    return np.where(np.isfinite(numbers), np.searchsorted(edges, numbers), len(edges) + 1)


def _places_of_levels(levels: Any, values: ArrayLike) -> NDArray[np.intp]:
    import pandas as pd

    objects = _objects(values)
    if pd.api.types.infer_dtype(objects) != "string":  # 1 and True are the same level to pandas, but not as texts
        objects = np.array(
            [None if gone else str(v) for v, gone in zip(objects, pd.isna(objects), strict=True)], object
        )
    codes, seen = pd.factorize(objects)
    of = levels.get_indexer(pd.Index(np.asarray(seen, dtype=object)))  # what is missing has the code -1
    return np.append(np.where(of < 0, len(levels), of), len(levels) + 1)[codes]


def _finite(values: ArrayLike) -> NDArray[np.float64]:
    numbers = np.asarray(values, dtype=float)
    # Adding zero turns -0.0 into 0.0, which JSON would write as another cut.
    finite: NDArray[np.float64] = numbers[np.isfinite(numbers)] + 0.0
    return finite


def _objects(values: ArrayLike) -> NDArray[np.object_]:
    return np.asarray(values, dtype=object)

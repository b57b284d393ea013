"""Where is a candidate weak that nobody thought of? A shallow tree finds parts of the rows, other rows judge them.

A search among many parts always finds some that look bad. So the older half of the held-out partitions is searched, and
the newer half, which the search has not seen, says whether a part that was found is one. Source of the idea: Chung et
al., Slice Finder, ICDE 2019.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from updraft.evidence.metric import Array
from updraft.evidence.slices import MISSING, Slice

if TYPE_CHECKING:
    import pandas as pd

DEPTH = 3
LEAST_SHARE = 0.02
MOST_ROWS = 50_000
SURPRISE = 16.0
_NAMED = 4
_LARGEST = 1e38


@dataclass(frozen=True, eq=False)
class _Column:
    """A feature as the tree sees it: numbers as they are, levels as their rank by mean error."""

    name: str
    values: Array
    levels: tuple[str, ...] = ()

    def within(self, low: float, high: float, missing: bool) -> str:
        """Say which values lie above `low` and up to `high`."""
        if self.levels:
            held = [level for rank, level in enumerate(self.levels) if low < rank <= high]
            more = [f"{len(held) - _NAMED} more"] if len(held) > _NAMED else []
            return f"{self.name} is {' or '.join([*held[:_NAMED], *more])}"
        above = [f"above {low:.4g}"] if np.isfinite(low) else []
        span = " and ".join([*above, *([f"at most {high:.4g}"] if np.isfinite(high) else [])])
        return f"{self.name} is {span or 'any number'}{f' or {MISSING}' if missing else ''}"


def halves(blocks: NDArray[np.generic]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Rows of the older half of the partitions, and of the newer half."""
    keys = np.unique(blocks)
    older = np.isin(blocks, keys[: len(keys) // 2])
    return older, ~older


def suspects(frame: "pd.DataFrame", kinds: dict[str, str], errors: Array, search: NDArray[np.bool_]) -> list[Slice]:
    """Find parts of the rows in which the mean error is above zero among the rows searched, worst first.

    :param kinds: `number` or `category` by feature.
    :param errors: How much worse each row came out than it should have (n,).
    :param search: Rows that may be looked at (n,); of very many, evenly spread ones are.
    :return: Slices of all rows.
    """
    from sklearn.tree import DecisionTreeRegressor

    looked_at = np.flatnonzero(search)
    search = np.zeros(len(errors), dtype=bool)
    search[looked_at[:: len(looked_at) // MOST_ROWS + 1]] = True
    columns = [_column(frame[name], kind, errors, search) for name, kind in kinds.items()]
    matrix = np.column_stack([column.values for column in columns])
    least = max(20, int(LEAST_SHARE * search.sum()))
    # The best of many splits of mere noise gains several times the variance of a row; it must not cut a weak part up.
    noise = SURPRISE * float(errors[search].var()) / search.sum()
    how = {"max_depth": DEPTH, "min_samples_leaf": least, "min_impurity_decrease": noise, "random_state": 0}
    tree = DecisionTreeRegressor(**how).fit(matrix[search], errors[search])
    if tree.tree_.node_count == 1:
        return []
    leaves = tree.apply(matrix)
    worst = {leaf: float(errors[search & (leaves == leaf)].mean()) for leaf in np.unique(leaves[search])}
    paths = _paths(tree.tree_, columns)
    worst_first = sorted((leaf for leaf in worst if worst[leaf] > 0), key=lambda leaf: -worst[leaf])
    return [Slice(paths[leaf], leaves == leaf) for leaf in worst_first]


def _column(column: "pd.Series[Any]", kind: str, errors: Array, search: NDArray[np.bool_]) -> _Column:
    name = str(column.name)
    if kind == "number":
        # The tree holds single precision, in which a larger number is infinite.
        return _Column(name, np.asarray(np.clip(column.to_numpy(float), -_LARGEST, _LARGEST), dtype=np.float64))
    column = column.where(column.notna(), MISSING)
    means = _mean_errors(column[search], errors[search])
    levels = tuple(sorted(means, key=lambda level: (means[level], level)))
    ranks = {level: float(rank) for rank, level in enumerate(levels)}
    # A level that the search has not seen goes where the tree sends most rows.
    return _Column(name, np.asarray(column.map(ranks), dtype=np.float64), levels)


def _mean_errors(column: "pd.Series[Any]", errors: Array) -> dict[str, float]:
    codes, levels = column.factorize()
    means = np.bincount(codes, errors) / np.bincount(codes)
    return dict(zip(map(str, levels), means.tolist(), strict=True))


def _paths(tree: Any, columns: list[_Column]) -> dict[int, str]:
    """Say in words how each leaf is reached."""
    told: dict[int, str] = {}

    def walk(node: int, bounds: dict[int, tuple[float, float, bool]]) -> None:
        if tree.children_left[node] == -1:
            told[node] = " and ".join(columns[i].within(*span) for i, span in bounds.items())
            return
        feature, cut = int(tree.feature[node]), float(tree.threshold[node])
        low, high, missing = bounds.get(feature, (-np.inf, np.inf, bool(np.isnan(columns[feature].values).any())))
        left = bool(tree.missing_go_to_left[node])
        walk(int(tree.children_left[node]), {**bounds, feature: (low, min(high, cut), missing and left)})
        walk(int(tree.children_right[node]), {**bounds, feature: (max(low, cut), high, missing and not left)})

    walk(0, {})
    return told

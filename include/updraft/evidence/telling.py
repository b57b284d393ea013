"""How much one column alone tells of the label: learnt on some rows, asked of others."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from updraft.evidence.metric import Array
from updraft.evidence.metrics import METRICS

Values = NDArray[Any]
_LEAVES, _LEAF_ROWS = 32, 10
_STEPS = 128  # leaves that tell a number to within a hundredth
_SHRUNK_BY = 10
_FLATTERS = 0.01  # AUC, or R squared, that a tree seems better on the rows it was grown on


def tell(seen: Values, y: Array, held: Values, kind: str = "binary") -> Array:
    """Learn the label from one column without missing values; return what it says of other rows.

    :param kind: `binary`, or `regression` for a number.
    """
    if seen.dtype.kind != "f":
        return _levels(seen, y, held, kind)
    return _ranks(seen, y, held) if kind == "regression" else _numbers(seen, y, held)


def _numbers(seen: Values, y: Array, held: Values) -> Array:
    """The number itself or a small tree on it, whichever ranks training better: slopes are smooth, dips are not."""
    from sklearn.tree import DecisionTreeClassifier

    steps = np.unique(seen)  # places instead of values spare the tree the rounding of large numbers
    tree = DecisionTreeClassifier(max_leaf_nodes=_LEAVES, min_samples_leaf=_LEAF_ROWS, random_state=0)
    tree.fit(places(steps, seen), y)
    by_tree, as_is = (METRICS["auc"](y, told) for told in (tree.predict_proba(places(steps, seen))[:, 1], seen))
    if max(as_is, 1 - as_is) >= by_tree - _FLATTERS:
        return np.asarray(held if as_is >= 0.5 else -held, dtype=np.float64)
    return np.asarray(tree.predict_proba(places(steps, held))[:, 1], dtype=np.float64)


def _ranks(seen: Values, y: Array, held: Values) -> Array:
    """A line through the number's ranks or a tree on them, whichever explains more of training's places."""
    from sklearn.linear_model import LinearRegression
    from sklearn.tree import DecisionTreeRegressor

    steps = np.sort(seen)
    tree = DecisionTreeRegressor(max_leaf_nodes=_STEPS, min_samples_leaf=_LEAF_ROWS, random_state=0)
    learnt, ranks = (tree, LinearRegression()), places(steps, seen)
    by_tree, by_line = (METRICS["r2"](y, each.fit(ranks, y).predict(ranks)) for each in learnt)
    best = learnt[1] if by_line >= by_tree - _FLATTERS else learnt[0]
    return np.asarray(best.predict(places(steps, held)), dtype=np.float64)


def _credibility(y: Array, sums: Array, rows: Array) -> float:
    """Return how many rows of a level count as much as the mean of all: the variance within levels by that between.

    Source: Buehlmann, ASTIN Bulletin 4 (1967).
    """
    within = float(((y**2).sum() - (sums**2 / rows).sum()) / max(len(y) - len(rows), 1))
    return max(within, 0.0) / max(float(y.var()) - within, 1e-9)


def places(steps: Values, values: Values) -> Array:
    """Return where values stand among sorted ones, as a single column; of equal ones in the middle (n, 1)."""
    left, right = (np.searchsorted(steps, values, side) for side in ("left", "right"))
    return np.asarray((left + right) / 2, dtype=np.float64).reshape(-1, 1)


def _levels(seen: Values, y: Array, held: Values, kind: str) -> Array:
    """Share of each level that came true, or mean number, drawn towards the mean where there are few rows of it."""
    import pandas as pd

    by = pd.Series(y).groupby(pd.Series(seen, dtype=object).astype(str).to_numpy()).agg(["sum", "count"])
    rate = float(y.mean())
    by_rows = _credibility(y, by["sum"].to_numpy(), by["count"].to_numpy()) if kind == "regression" else _SHRUNK_BY
    share = (by["sum"] + by_rows * rate) / (by["count"] + by_rows)
    return pd.Series(held, dtype=object).astype(str).map(share).fillna(rate).to_numpy(float)

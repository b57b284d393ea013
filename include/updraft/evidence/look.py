"""A look for leaks: training rows and held-out rows side by side, and how much one column alone tells of the label.

What a column tells is learnt on the training rows and asked on the held-out rows, so chance and overfitting do not
count. Large windows are thinned evenly.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from updraft.evidence.evidence import Evidence
from updraft.evidence.interval import interval
from updraft.evidence.metric import Array
from updraft.evidence.metrics import METRICS
from updraft.spec.checks import Leakage
from updraft.spec.model import UseCase

if TYPE_CHECKING:
    from pandas import DataFrame

Values = NDArray[Any]
RARER = 20  # rows of the rarer class below which a column's AUC says little
_ROWS = 10_000
_LEAVES, _LEAF_ROWS = 32, 10
_SHRUNK_BY = 10
_FLATTERS = 0.01  # AUC that a tree seems better on the rows it was grown on


@dataclass(frozen=True)
class Leak:
    """Something that knows too much.

    :param subject: The feature, key or window.
    :param says: What was found, for a person.
    :param size: How much of it, in the unit of its kind.
    """

    kind: str
    subject: str
    says: str
    size: float


@dataclass(frozen=True)
class Look:
    """What a search for one kind of leak goes by.

    :param seen: Training rows with their labels.
    :param held: Held-out rows, in the order of `evidence.y`.
    """

    evidence: Evidence
    case: UseCase
    seen: "DataFrame"
    held: "DataFrame"

    @property
    def limits(self) -> Leakage:
        """What the use case allows."""
        return self.case.gates.leakage

    @cached_property
    def some_seen(self) -> NDArray[np.intp]:
        """Places of the training rows that columns are learnt on."""
        return _evenly(len(self.seen))

    @cached_property
    def some_held(self) -> NDArray[np.intp]:
        """Places of the held-out rows that columns are asked about."""
        return _evenly(len(self.held))

    @cached_property
    def y_seen(self) -> Array:
        """Labels of `some_seen`."""
        return self.seen[self.case.label.column].to_numpy(float)[self.some_seen]

    @cached_property
    def y_held(self) -> Array:
        """Labels of `some_held`."""
        return self.evidence.y[self.some_held]

    def column(self, name: str) -> tuple[Values, Values]:
        """One column of both windows, thinned; numbers as floats, everything else as it is."""
        number = name in self.case.features and self.case.features[name].type == "number"
        dtype: Any = float if number else object
        return self.seen[name].to_numpy(dtype)[self.some_seen], self.held[name].to_numpy(dtype)[self.some_held]

    @cached_property
    def alone(self) -> dict[str, float]:
        """AUC of each feature alone where it is present; its lower bound decides only above a limit."""
        return {name: self._auc_where_present(*self.column(name)) for name in self.case.features}

    def surely_above(self, seen: Values, held: Values, limit: float) -> float:
        """AUC of a column alone if its lower bound is above `limit`, else nan."""
        there, asked = present(seen), present(held)
        if few(self.y_held[asked]) or few(self.y_seen[there]):
            return float("nan")
        told = tell(seen[there], self.y_seen[there], held[asked])
        y, blocks = self.y_held[asked], self.evidence.blocks[self.some_held][asked]
        found = METRICS["auc"](y, told)
        if found <= limit:
            return float("nan")
        sure = self.case.gates.confidence
        low = interval(METRICS["auc"], y, told, blocks, confidence=sure, seed=self.case.model.seed).low
        return found if low > limit else float("nan")

    def shared(self, old: Values, new: Values) -> tuple[float, float]:
        """Share of held-out identities that training holds, and of training's own that come back in a partition."""
        import pandas as pd

        found = pd.DataFrame({"identity": old, "partition": self.seen["partition"].to_numpy(object)}).drop_duplicates()
        partitions = found.groupby("identity").size()
        usual = float(partitions[partitions > 1].sum() / max(len(found), 1))
        return float(np.isin(new, old).mean()) if len(new) else 0.0, usual

    def _auc_where_present(self, seen: Values, held: Values) -> float:
        there, asked = present(seen), present(held)
        if few(self.y_held[asked]) or few(self.y_seen[there]):
            return float("nan")
        return METRICS["auc"](self.y_held[asked], tell(seen[there], self.y_seen[there], held[asked]))


def tell(seen: Values, y: Array, held: Values) -> Array:
    """Learn the label from one column without missing values; return what it says of other rows."""
    return _numbers(seen, y, held) if seen.dtype.kind == "f" else _levels(seen, y, held)


def present(values: Values) -> NDArray[np.bool_]:
    """Which values are not missing."""
    import pandas as pd

    return ~np.asarray(pd.isna(values))


def identities(rows: "DataFrame") -> Values:
    """One number per row that equal rows have in common."""
    import pandas as pd

    return pd.util.hash_pandas_object(rows, index=False).to_numpy()


def few(y: Array) -> bool:
    """Whether there are too few rows of the rarer class."""
    return bool(min((y == 1).sum(), (y == 0).sum()) < RARER)


def of_kind(kind: str, found: Sequence[tuple[str, str, float]]) -> list[Leak]:
    """Leaks of a kind, largest first."""
    return [Leak(kind, *one) for one in sorted(found, key=lambda one: (-one[2], one[0]))]


def _numbers(seen: Values, y: Array, held: Values) -> Array:
    """The number itself or a small tree on it, whichever ranks training better: slopes are smooth, dips are not."""
    from sklearn.tree import DecisionTreeClassifier

    steps = np.unique(seen)  # places instead of values spare the tree the rounding of large numbers
    tree = DecisionTreeClassifier(max_leaf_nodes=_LEAVES, min_samples_leaf=_LEAF_ROWS, random_state=0)
    tree.fit(_places(steps, seen), y)
    by_tree, as_is = (METRICS["auc"](y, told) for told in (tree.predict_proba(_places(steps, seen))[:, 1], seen))
    if max(as_is, 1 - as_is) >= by_tree - _FLATTERS:
        return np.asarray(held if as_is >= 0.5 else -held, dtype=np.float64)
    return np.asarray(tree.predict_proba(_places(steps, held))[:, 1], dtype=np.float64)


def _places(steps: Values, values: Values) -> Array:
    left, right = (np.searchsorted(steps, values, side) for side in ("left", "right"))
    return np.asarray((left + right) / 2, dtype=np.float64).reshape(-1, 1)


def _levels(seen: Values, y: Array, held: Values) -> Array:
    """Share of each level that came true, drawn towards the mean where there are few rows of it."""
    import pandas as pd

    by = pd.Series(y).groupby(pd.Series(seen, dtype=object).astype(str).to_numpy()).agg(["sum", "count"])
    rate = float(y.mean())
    share = (by["sum"] + _SHRUNK_BY * rate) / (by["count"] + _SHRUNK_BY)
    return pd.Series(held, dtype=object).astype(str).map(share).fillna(rate).to_numpy(float)


def _evenly(rows: int) -> NDArray[np.intp]:
    return np.unique(np.linspace(0, rows - 1, min(rows, _ROWS)).astype(np.intp)) if rows else np.arange(0)

"""A look for leaks: training rows and held-out rows side by side, and how much one column alone tells of the label.

What a column tells is learnt on the training rows and asked on the held-out rows, so chance and overfitting do not
count. Large windows are thinned evenly.

How much a column tells is its AUC; of several classes it is the macro AUC, and of a number the R squared of its place
among training's, which neither its unit nor a few huge ones move.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from updraft.evidence.evidence import Evidence
from updraft.evidence.interval import interval
from updraft.evidence.metric import Array, Metric
from updraft.evidence.metrics import METRICS
from updraft.evidence.telling import Values, places, tell
from updraft.spec.checks import Leakage
from updraft.spec.model import UseCase

if TYPE_CHECKING:
    from pandas import DataFrame

RARER = 20  # rows of the rarer class below which a column's AUC says little
_WORDS = {"auc": "AUC", "macro_auc": "macro AUC", "r2": "R squared of ranks"}
_SCALE = {"binary": "auc", "multiclass": "macro_auc", "regression": "r2"}
_ROWS = 10_000


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
    :param asked: The position of the class, or the number, that labels are asked about: is it that class, or above it?
        None asks for the label as it is.
    """

    evidence: Evidence
    case: UseCase
    seen: "DataFrame"
    held: "DataFrame"
    asked: float | None = None

    @property
    def limits(self) -> Leakage:
        """What the use case allows."""
        return self.case.gates.leakage

    @property
    def kind(self) -> str:
        """What is asked: a yes or no, a class or a number."""
        return "binary" if self.asked is not None else self.evidence.kind

    @property
    def metric(self) -> Metric:
        """How much a column tells."""
        return METRICS[_SCALE[self.kind]]

    @property
    def scale(self) -> str:
        """Name the metric for a person."""
        return _WORDS[self.metric.name]

    def questions(self) -> list["Look"]:
        """Ask for a yes or no: of classes whether it is each, of a number whether it is above training's median."""
        if self.kind == "binary":
            return [self]
        points = range(self.evidence.classes) if self.kind == "multiclass" else [float(np.median(self._labels))]
        return [replace(self, asked=float(point)) for point in points]

    def answer(self, outcome: float) -> str:
        """Say in words that `y` is 0 or 1."""
        if self.asked is None:
            return f"the label is {outcome:g}"
        classes = self.case.label.classes
        what = classes[int(self.asked)] if classes else f"above {self.asked:.4g}"
        return f"the label is {'' if outcome else 'not '}{what}"

    @property
    def about(self) -> str:
        """Say in words which question is asked; nothing when it is the label itself."""
        return "" if self.asked is None else f" on whether {self.answer(1)}"

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
        return self._outcomes(self._labels)

    @cached_property
    def y_held(self) -> Array:
        """Labels of `some_held`."""
        return self._outcomes(self.evidence.y[self.some_held])

    def column(self, name: str) -> tuple[Values, Values]:
        """One column of both windows, thinned; numbers as floats, everything else as it is."""
        number = name in self.case.features and self.case.features[name].type == "number"
        dtype: Any = float if number else object
        return self.seen[name].to_numpy(dtype)[self.some_seen], self.held[name].to_numpy(dtype)[self.some_held]

    @cached_property
    def alone(self) -> dict[str, float]:
        """How much each feature alone tells where it is present; its lower bound decides only above a limit."""
        return {name: self._alone(*self.column(name)) for name in self.case.features}

    def surely_above(self, seen: Values, held: Values, limit: float) -> float:
        """How much a column alone tells if its lower bound is above `limit`, else nan."""
        if (told := self._told(seen, held)) is None:
            return float("nan")
        y, p, asked = told
        found = self.metric(y, p)
        if found <= limit:
            return float("nan")
        sure, blocks = self.case.gates.confidence, self.evidence.blocks[self.some_held][asked]
        low = interval(self.metric, y, p, blocks, confidence=sure, seed=self.case.model.seed).low
        return found if low > limit else float("nan")

    def shared(self, old: Values, new: Values) -> tuple[float, float]:
        """Share of held-out identities that training holds, and of training's own that come back in a partition."""
        import pandas as pd

        found = pd.DataFrame({"identity": old, "partition": self.seen["partition"].to_numpy(object)}).drop_duplicates()
        partitions = found.groupby("identity").size()
        usual = float(partitions[partitions > 1].sum() / max(len(found), 1))
        return float(np.isin(new, old).mean()) if len(new) else 0.0, usual

    def _alone(self, seen: Values, held: Values) -> float:
        told = self._told(seen, held)
        return float("nan") if told is None else self.metric(*told[:2])

    def _told(self, seen: Values, held: Values) -> tuple[Array, Array, NDArray[np.bool_]] | None:
        """Outcomes of held-out rows, what a column says of them, and which they are; None where there are too few.

        Of several classes only those are asked for that have enough rows with the column.
        """
        there, asked = present(seen), present(held)
        if self.kind != "multiclass":
            learnt, y = self.y_seen[there], self.y_held[asked]
            if few(y, self.kind) or few(learnt, self.kind):
                return None
            return y, tell(seen[there], learnt, held[asked], self.kind), asked
        windows = (self.y_seen[there], self.y_held[asked])
        codes = [code for code in range(self.evidence.classes) if all((y == code).sum() >= RARER for y in windows)]
        if len(codes) < 2:
            return None
        there, asked = there & np.isin(self.y_seen, codes), asked & np.isin(self.y_held, codes)
        each = [tell(seen[there], (self.y_seen[there] == code).astype(float), held[asked]) for code in codes]
        return np.searchsorted(codes, self.y_held[asked]).astype(float), np.column_stack(each), asked

    @property
    def _labels(self) -> Array:
        return self.seen[self.case.label.column].to_numpy(float)[self.some_seen]

    def _outcomes(self, labels: Array) -> Array:
        if self.asked is not None:
            wanted = labels == self.asked if self.evidence.kind == "multiclass" else labels > self.asked
            return wanted.astype(float)
        if self.kind == "regression":
            return places(np.sort(self._labels), labels)[:, 0] / len(self._labels)
        return labels


def present(values: Values) -> NDArray[np.bool_]:
    """Which values are not missing."""
    import pandas as pd

    return ~np.asarray(pd.isna(values))


def identities(rows: "DataFrame") -> Values:
    """One number per row that equal rows have in common."""
    import pandas as pd

    return pd.util.hash_pandas_object(rows, index=False).to_numpy()


def few(y: Array, kind: str = "binary") -> bool:
    """Whether there are too few rows of the rarer class, or of a number at all."""
    return bool((len(y) / 2 if kind == "regression" else min((y == 1).sum(), (y == 0).sum())) < RARER)


def of_kind(kind: str, found: Sequence[tuple[str, str, float]]) -> list[Leak]:
    """Leaks of a kind, largest first."""
    return [Leak(kind, *one) for one in sorted(found, key=lambda one: (-one[2], one[0]))]


def _evenly(rows: int) -> NDArray[np.intp]:
    return np.unique(np.linspace(0, rows - 1, min(rows, _ROWS)).astype(np.intp)) if rows else np.arange(0)

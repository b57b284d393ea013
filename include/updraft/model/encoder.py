"""What a learner sees: features as one float64 matrix, with categories frozen as they were in the training rows.

A number stays itself, and nan where it is missing. A number whose square is beyond a float, and so an infinity, is
missing too: it is what a ratio gives when its denominator is zero, and no mean or variance survives it.
A category becomes a code: the position of its level, then one code for every other level, then one for missing.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from updraft.errors import ModelRejected
from updraft.model import canonical

if TYPE_CHECKING:
    import pandas as pd

MIN_LEVEL_ROWS = 20
MAX_LEVELS = 250
LARGEST = 1e150
_TEXT_DTYPES = {"object", "str", "string"}

Features = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Encoder:
    """The columns of the matrix.

    :param features: Name and type (`number` or `category`) per column, in the order of the matrix.
    :param levels: Known levels per category feature, sorted; a level's code is its position.
    """

    features: Features
    levels: Mapping[str, tuple[str, ...]]

    @classmethod
    def fit(cls, frame: "pd.DataFrame", features: Features) -> Self:
        """Freeze the levels of training rows.

        Levels seen in fewer than `MIN_LEVEL_ROWS` rows, and those beyond the `MAX_LEVELS` most frequent, become
        `other`: that is how a model learns what to make of a level it never saw.

        :raises ModelRejected: If the frame does not have the features, or has them with other types.
        """
        check(frame, features)
        return cls(features, {name: _levels(frame[name]) for name, kind in features if kind == "category"})

    @property
    def categories(self) -> dict[int, int]:
        """Number of codes (levels, other, missing) per matrix column that holds a category."""
        return {i: len(self.levels[n]) + 2 for i, (n, kind) in enumerate(self.features) if kind == "category"}

    def matrix(self, frame: "pd.DataFrame") -> NDArray[np.float64]:
        """Encode rows.

        :param frame: Has the features by name, in any order: float64 numbers, categories as text or None.
        :return: Rows by features.
        :raises ModelRejected: If a feature is missing or has another type; names them.
        """
        check(frame, self.features)
        encoded = np.empty((len(frame), len(self.features)))
        for column, (name, kind) in enumerate(self.features):
            encoded[:, column] = _number(frame[name]) if kind == "number" else self._codes(name, _texts(frame[name]))
        return encoded

    def unseen(self, frame: "pd.DataFrame") -> dict[str, float]:
        """Share of rows per category feature whose level became `other`; nan for a frame without rows."""
        codes = self.matrix(frame)
        seen = {self.features[i][0]: codes[:, i] == count - 2 for i, count in self.categories.items()}
        return {name: float(other.mean()) if len(other) else float("nan") for name, other in seen.items()}

    def dump(self) -> bytes:
        """Write as JSON."""
        return canonical.dump({"features": self.features, "levels": dict(self.levels)})

    @classmethod
    def parse(cls, content: bytes) -> Self:
        """Read what `dump` wrote."""
        stored = canonical.parse(content)
        features = tuple((str(name), str(kind)) for name, kind in stored["features"])
        return cls(features, {name: tuple(levels) for name, levels in stored["levels"].items()})

    def _codes(self, name: str, texts: "pa.Array[Any]") -> NDArray[np.float64]:
        levels = self.levels[name]
        known: pa.Array[Any] = pc.index_in(texts, value_set=pa.array(levels, pa.string()))
        codes = known.to_numpy(zero_copy_only=False).astype(np.float64)
        missing = texts.is_null().to_numpy(zero_copy_only=False)
        return np.where(missing, len(levels) + 1.0, np.where(np.isnan(codes), float(len(levels)), codes))


def check(frame: "pd.DataFrame", features: Features) -> None:
    """Refuse a frame that does not have the features, each exactly once and with its type.

    :raises ModelRejected: Names the first ten columns at fault.
    """
    held = Counter(map(str, frame.columns))
    faults = [f"{name} ({fault})" for name, kind in features if (fault := _fault(frame, name, kind, held[name]))]
    if faults:
        raise ModelRejected(
            f"{len(faults)} of {len(features)} features do not fit the model: {', '.join(faults[:10])}.",
            next_step="score with rows of the feature definition the model was trained on, or train a new model.",
        )


def _fault(frame: "pd.DataFrame", name: str, kind: str, times: int) -> str | None:
    if times != 1:
        return "missing" if times == 0 else f"there {times} times"
    dtype = str(frame[name].dtype)
    if kind == "number":
        return None if dtype == "float64" else f"number expected as float64, got {dtype}"
    if dtype not in _TEXT_DTYPES:
        return f"category expected as text, got {dtype}"
    try:
        _texts(frame[name])
    except (pa.ArrowException, UnicodeError, TypeError):
        return "category expected as text, got other values among the text"
    return None


def _number(column: "pd.Series[Any]") -> NDArray[np.float64]:
    values = column.to_numpy(dtype=np.float64)
    return np.where(np.abs(values) <= LARGEST, values, np.nan)


def _texts(column: "pd.Series[Any]") -> "pa.Array[Any]":
    values = column.to_numpy(dtype=object)
    return pa.array(values, pa.string(), from_pandas=True)


def _levels(column: "pd.Series[Any]") -> tuple[str, ...]:
    counted = Counter(str(level) for level in _texts(column).drop_null().to_pylist())
    frequent = [level for level, rows in counted.items() if rows >= MIN_LEVEL_ROWS]
    return tuple(sorted(sorted(frequent, key=lambda level: (-counted[level], level))[:MAX_LEVELS]))

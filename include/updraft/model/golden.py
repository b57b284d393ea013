"""Golden predictions: a few rows whose predictions a loaded model must give again.

Digests show that the files are the same; these rows show that the libraries still read them the same way.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from updraft.model import canonical
from updraft.model.encoder import Features

if TYPE_CHECKING:
    import pandas as pd

ROWS = 8
ABSOLUTE, RELATIVE = 1e-9, 1e-7

Predict = Callable[["pd.DataFrame"], NDArray[np.float64]]
Row = dict[str, float | str | None]


@dataclass(frozen=True)
class Golden:
    """Feature values per row (None where missing), and the prediction of each: a number, or one per class."""

    rows: tuple[Row, ...]
    expected: tuple[float, ...] | tuple[tuple[float, ...], ...]

    @classmethod
    def choose(cls, frame: "pd.DataFrame", features: Features, predict: Predict) -> Self:
        """Take rows evenly over the range of `predict`, and one in which everything is missing."""
        order = np.argsort(_rank(predict(frame)), kind="stable")
        places = np.unique(np.linspace(0, len(order) - 1, ROWS).astype(int))
        sample = frame.iloc[order[places]]
        blank: Row = {name: None for name, _ in features}
        rows = (*(_row(values, features) for values in sample.to_dict("records")), blank)
        return cls(rows, _numbers(predict(as_frame(rows, features)).tolist()))

    def worst(self, features: Features, predict: Predict) -> float:
        """Largest distance from the expected predictions, in units of the tolerance: above 1 is another model."""
        found = predict(as_frame(self.rows, features))
        expected = np.asarray(self.expected)
        if found.shape != expected.shape:
            return float("inf")
        distance = np.abs(found - expected) / (ABSOLUTE + RELATIVE * np.abs(expected))
        return float(np.max(np.nan_to_num(distance, nan=np.inf), initial=0.0))

    def dump(self) -> bytes:
        """Write as JSON."""
        return canonical.dump({"rows": self.rows, "expected": self.expected})

    @classmethod
    def parse(cls, content: bytes) -> Self:
        """Read what `dump` wrote."""
        stored = canonical.parse(content)
        return cls(tuple(stored["rows"]), _numbers(stored["expected"]))


def _rank(predicted: NDArray[np.float64]) -> NDArray[np.float64]:
    """What to spread the rows over: the prediction; of several classes the likeliest, then how likely it is."""
    return predicted if predicted.ndim == 1 else predicted.argmax(axis=1) + predicted.max(axis=1) / 2


def _numbers(said: list[Any]) -> tuple[float, ...] | tuple[tuple[float, ...], ...]:
    if said and isinstance(said[0], list):
        if len({len(row) for row in said}) > 1:
            raise ValueError("golden rows have different numbers of classes")
        return tuple(tuple(float(p) for p in row) for row in said)
    return tuple(float(p) for p in said)


def as_frame(rows: tuple[Row, ...], features: Features) -> "pd.DataFrame":
    """Make a feature frame of rows."""
    import pandas as pd

    dtypes: dict[str, Any] = {"number": "float64", "category": "object"}
    return pd.DataFrame({name: pd.Series([row[name] for row in rows], dtype=dtypes[kind]) for name, kind in features})


def _row(values: dict[Any, Any], features: Features) -> Row:
    return {name: _value(values[name], kind) for name, kind in features}


def _value(value: Any, kind: str) -> float | str | None:
    if kind == "number":
        return float(value) if np.isfinite(value) else None
    return value if isinstance(value, str) else None

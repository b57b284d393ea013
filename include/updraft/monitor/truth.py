"""Rows whose labels have arrived, as the champion scored them, and whether they can be judged."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from updraft.evidence.metric import Array, Codes
from updraft.model.labels import came_true
from updraft.monitor.performance import labelled, numbered, predicted, too_few
from updraft.monitor.window import Window
from updraft.spec.model import UseCase

if TYPE_CHECKING:
    from pandas import DataFrame


@dataclass(frozen=True, eq=False)
class Truth:
    """Mature rows with a score and a label.

    :param rows: The rows, with their features.
    :param y: Labels (n,): 0.0 or 1.0, the position of a class, or a number.
    :param came: Whether acting was right (n,).
    :param blocks: Number of the partition of each row, in the order of their keys (n,).
    :param silent: Partitions without any label, in order, each with the reason.
    :param blind: Why nothing can be judged on them; empty when something can.
    """

    case: UseCase
    rows: "DataFrame"
    y: Array
    came: NDArray[np.bool_]
    blocks: Codes
    silent: Mapping[str, str]
    blind: str

    @property
    def n(self) -> int:
        """How many rows there are."""
        return len(self.y)

    @property
    def acted(self) -> NDArray[np.bool_]:
        """Whether each row was acted on (n,)."""
        return self.rows["acted"].to_numpy(bool)

    def predicted(self) -> Array:
        """What was predicted: probabilities or numbers (n,), or a probability per class (n, k)."""
        return predicted(self.case, self.rows)


def truth(window: Window) -> Truth:
    """Take the rows that came true; partitions whose labels have not arrived are left out."""
    if "truth" not in window.memo:
        window.memo["truth"] = _truth(window)
    found: Truth = window.memo["truth"]
    return found


def _truth(window: Window) -> Truth:
    case, matured = window.case, window.matured
    rows, silent = labelled(case, matured, window.waiting)
    y = rows[case.label.column].to_numpy(float)
    return Truth(case, rows, y, came_true(case, y), numbered(rows), silent, _blind(window, set(silent), y))


def _blind(window: Window, silent: set[str], y: Array) -> str:
    case, newest = window.case, max({*window.matured["partition"].unique(), *window.waiting}, default="")
    if not newest:
        return "no partition that this champion scored has mature labels yet"
    if newest in silent:
        return f"no labels of {newest}, the newest partition that should have them"
    return too_few(case, y)

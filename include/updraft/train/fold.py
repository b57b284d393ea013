"""A fold as the learners take it: what is fitted, what it is tried on, and what it says there."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from updraft.errors import TrainingRefused
from updraft.model.encoder import Encoder, Features
from updraft.spec.model import UseCase
from updraft.train import sufficiency, weight
from updraft.train.split import Split, folds, settled, unknown

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Window:
    """Rows, their matrix, their labels, and how much each counts where the spec declares it."""

    rows: "pd.DataFrame"
    matrix: NDArray[np.float64]
    labels: NDArray[np.float64]
    weights: NDArray[np.float64] | None = None


@dataclass(frozen=True)
class Fold:
    """A training window with its encoder, the window that tries it, and the one after that.

    :param later: Rows of the next fold's validation window; none for the newest fold.
    """

    encoder: Encoder
    training: Window
    validation: Window
    later: Window | None = None

    @classmethod
    def of(cls, case: UseCase, features: Features, rows: "pd.DataFrame", split: Split, after: Split | None) -> Self:
        """Encode a fold; category levels are those of its own training rows.

        :param after: The next fold. The first partitions of its validation window, as many as the gap, are left out:
            when they were predicted, this fold's validation labels were not all known.
        """
        training, validation = split.take(rows, "train"), split.take(rows, "validation")
        encoder = Encoder.fit(training, features)
        windows = (_window(case, encoder, training), _window(case, encoder, validation))
        if after is None:
            return cls(encoder, *windows)
        gap = settled(case, rows["partition"].unique()).gap or 0
        later = replace(after, validation=after.validation[gap:]).take(rows, "validation")
        return cls(encoder, *windows, _window(case, encoder, later) if len(weight.counting(case, later)) else None)

    def without(self, names: set[str]) -> "Fold":
        """The same fold without some features."""
        kept = [i for i, (name, _) in enumerate(self.encoder.features) if name not in names]
        features = tuple(self.encoder.features[i] for i in kept)
        levels = {name: found for name, found in self.encoder.levels.items() if name not in names}
        training, validation = (_columns(window, kept) for window in (self.training, self.validation))
        later = None if self.later is None else _columns(self.later, kept)
        return Fold(Encoder(features, levels), training, validation, later)


def _columns(window: Window, kept: list[int]) -> Window:
    return replace(window, matrix=np.ascontiguousarray(window.matrix[:, kept]))


def _window(case: UseCase, encoder: Encoder, rows: "pd.DataFrame") -> Window:
    labels = rows[case.label.column].to_numpy(dtype=np.float64)
    return Window(rows, encoder.matrix(rows), labels, weight.given(case, rows))


def cut(case: UseCase, rows: "pd.DataFrame") -> tuple[tuple[Split, ...], tuple[str, ...]]:
    """Cut rows into folds, oldest first, and say what a reader should know about them.

    The newest fold must be enough to learn from; an older one that is not is left out.

    :raises TrainingRefused: If the newest fold or the holdout does not allow an honest model.
    """
    weight.check(case, rows)
    keys = rows["partition"].unique()
    *older, newest = folds(keys, settled(case, keys))
    sufficiency.check(case, rows, newest)
    enough = [fold for fold in older if _is_enough(case, rows, fold)]
    return (*enough, newest), _notes(case, newest, len(enough) + 1)


def _is_enough(case: UseCase, rows: "pd.DataFrame", fold: Split) -> bool:
    try:
        sufficiency.check(case, rows, fold)
    except TrainingRefused:
        return False
    return True


def _notes(case: UseCase, newest: Split, count: int) -> tuple[str, ...]:
    notes = []
    if count < case.model.folds:
        notes.append(f"{count} of {case.model.folds} folds: the history is not enough for more")
    needed = unknown(case, newest.holdout[0])
    if case.model.gap is not None and case.model.gap < needed:
        notes.append(f"`model.gap` is {case.model.gap}, but the labels of {needed} partitions are not known in time")
    return tuple(notes)

"""Which features a training may leave out: those whose permutation changes nothing on held-out folds.

A feature is a suspect when shuffling it raises the log loss of no family by more than one standard error (Breiman,
Machine Learning 2001; Fisher et al., JMLR 2019). Two copies of one thing cover for each other, so suspects are tried
for real: the folds are fitted again without them, and they go only if no family is worse by more than one standard
error. If one is, the less suspect half stays and the rest is tried again.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from updraft.train.choice import ties
from updraft.train.fitted import Fitted
from updraft.train.fold import Fold, Window

Array = NDArray[np.float64]
Fit = Callable[[str, Fold], Fitted]
Lose = Callable[[Fitted, Window], Array]


@dataclass(frozen=True)
class Evidence:
    """How much the log loss rose when a feature was shuffled: mean over partitions and its standard error."""

    rise: float
    error: float

    @property
    def useless(self) -> bool:
        """Whether it rose by no more than chance."""
        return not self.rise > self.error


@dataclass(frozen=True)
class Selection:
    """Features left out, and the evidence on every feature, by family."""

    dropped: tuple[str, ...] = ()
    evidence: Mapping[str, Mapping[str, Evidence]] | None = None

    @property
    def notes(self) -> tuple[str, ...]:
        """One sentence per feature left out."""
        return tuple(f"left out {name}: shuffled, log loss rose by {self._said(name)}" for name in self.dropped)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        found = self.evidence or {}
        return {
            "dropped": list(self.dropped),
            "evidence": {f: {name: asdict(e) for name, e in each.items()} for f, each in found.items()},
        }

    def _said(self, name: str) -> str:
        each = ((family, found[name]) for family, found in (self.evidence or {}).items())
        return ", ".join(f"{e.rise:+.5f} (standard error {e.error:.5f}) for {family}" for family, e in each)


def select(folds: Sequence[Fold], families: Sequence[str], fit: Fit, lose: Lose, *, seed: int) -> Selection:
    """Find the features that no family misses; at least one always stays.

    :param fit: Fits a family to a fold's training window.
    :param lose: Loss per partition of a window.
    """
    names = [name for name, _ in folds[-1].encoder.features]
    whole = {family: [fit(family, fold) for fold in folds] for family in families}
    shuffled = {family: _evidence(folds, fitted, lose, seed) for family, fitted in whole.items()}
    evidence = {family: dict(zip(names, found, strict=True)) for family, found in shuffled.items()}
    needed = {name: max(found[name].rise for found in evidence.values()) for name in names}
    suspects = [
        n for n in sorted(names, key=lambda n: needed[n]) if all(found[n].useless for found in evidence.values())
    ]
    suspects = suspects[: len(names) - 1]
    losses = {family: _losses(folds, fitted, lose) for family, fitted in whole.items()}
    while suspects and not _as_good(folds, set(suspects), losses, fit, lose):
        suspects = suspects[: len(suspects) // 2]
    return Selection(tuple(sorted(suspects)), evidence)


def _evidence(folds: Sequence[Fold], fitted: Sequence[Fitted], lose: Lose, seed: int) -> list[Evidence]:
    rises = [_rises(fold.validation, model, lose, seed) for fold, model in zip(folds, fitted, strict=True)]
    return [_judged(np.concatenate([fold[column] for fold in rises])) for column in range(len(rises[0]))]


def _rises(window: Window, fitted: Fitted, lose: Lose, seed: int) -> list[Array]:
    """Rise of the loss per partition for each column, shuffled over the whole window.

    Within a partition alone, a feature that is the same for a whole day could not be shuffled.
    """
    order = np.random.default_rng(seed).permutation(len(window.matrix))
    before = lose(fitted, window)
    found = []
    for column in range(window.matrix.shape[1]):
        matrix = window.matrix.copy()
        matrix[:, column] = matrix[order, column]
        found.append(lose(fitted, replace(window, matrix=matrix)) - before)
    return found


def _judged(rises: Array) -> Evidence:
    error = float(rises.std(ddof=1) / np.sqrt(len(rises))) if len(rises) > 1 else 0.0
    return Evidence(float(rises.mean()), error)


def _losses(folds: Sequence[Fold], fitted: Sequence[Fitted], lose: Lose) -> Array:
    return np.concatenate([lose(model, fold.validation) for fold, model in zip(folds, fitted, strict=True)])


def _as_good(folds: Sequence[Fold], without: set[str], losses: Mapping[str, Array], fit: Fit, lose: Lose) -> bool:
    fewer = [fold.without(without) for fold in folds]
    return all(
        ties(_losses(fewer, [fit(family, fold) for fold in fewer], lose), before) for family, before in losses.items()
    )

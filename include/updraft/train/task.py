"""What to learn besides the rows: the kind of label, the weight of each row, which way numbers may move."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from updraft.model.manifest import Parameter
from updraft.partition import calendar
from updraft.spec.model import UseCase
from updraft.spec.prediction import ProblemKind
from updraft.train import weight

if TYPE_CHECKING:
    import pandas as pd

_SIGNS = {"increasing": 1, "decreasing": -1}


@dataclass(frozen=True)
class Task:
    """What to learn, and from whom most.

    :param classes: Number of classes; 0 for a number.
    :param weights: Weight of each training row, 1 on average; None where all weigh the same.
    :param monotone: 1 (increasing) or -1 (decreasing) by name of the feature; the others may move either way.
    :param said: What the spec said about the weights, for the manifest.
    """

    kind: ProblemKind = "binary"
    classes: int = 2
    weights: NDArray[np.float64] | None = None
    monotone: Mapping[str, int] = field(default_factory=dict)
    said: Mapping[str, Parameter] = field(default_factory=dict)

    @classmethod
    def of(cls, case: UseCase, rows: "pd.DataFrame", labels: NDArray[np.float64]) -> Self:
        """Read a spec.

        :param rows: Training rows, with their `partition`.
        :param labels: Their labels (n,).
        """
        held = {name: _SIGNS[f.monotone] for name, f in case.features.items() if f.monotone is not None}
        kind = case.problem.kind
        classes = 0 if kind == "regression" else len(case.label.classes) or 2
        return cls(kind, classes, weights(case, rows, labels), held, _said(case))

    def parameters(self) -> dict[str, Parameter]:
        """What of it belongs among the settings of a training; empty when nothing was asked for."""
        held = {f"monotone_{name}": sign for name, sign in self.monotone.items()}
        return {**self.said, **held}


BINARY = Task()


def weights(case: UseCase, rows: "pd.DataFrame", labels: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Weight of each row (n,): the declared one, by age, then so that every class weighs the same.

    None where nothing was asked for.

    `balanced` divides by the class's share (King and Zeng, Political Analysis 2001). It shifts the probabilities, which
    the calibration shifts back, since it knows only the declared weight.
    """
    half_life, balanced = case.model.recency_half_life, case.model.class_weight == "balanced"
    declared, partitions = weight.given(case, rows), rows["partition"]
    if half_life is None and not balanced and declared is None:
        return None
    each = np.ones(len(labels)) if declared is None else declared
    if half_life is not None:
        begins = {key: calendar(case).at(key).start for key in partitions.unique()}
        newest = max(begins.values())
        halved = {key: 0.5 ** ((newest - start) / half_life) for key, start in begins.items()}
        each = each * partitions.map(halved).to_numpy(np.float64)
    if balanced:
        codes = labels.astype(np.int64)
        each = each / np.bincount(codes, each)[codes]
    return np.asarray(each / each.mean())


def _said(case: UseCase) -> dict[str, Parameter]:
    said: dict[str, Parameter] = {}
    if case.model.weight is not None:
        said["weight"] = case.model.weight
    if case.model.class_weight != "none":
        said["class_weight"] = case.model.class_weight
    if case.model.recency_half_life is not None:
        said["recency_half_life_hours"] = case.model.recency_half_life.total_seconds() / 3600
    return said

"""What a label holds, by kind of problem: 0.0 or 1.0, the position of a class in `label.classes`, or a number."""

import numpy as np
from numpy.typing import NDArray

from updraft.spec.model import UseCase


def strange(case: UseCase, labels: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which labels are not of the kind the use case declares, or missing (n,)."""
    if case.problem.kind == "regression":
        return ~np.isfinite(labels)
    return ~np.isin(labels, np.arange(max(2, len(case.label.classes))))


def per_class(case: UseCase, labels: NDArray[np.float64]) -> dict[str, int]:
    """Rows of each class, by its name in the spec; empty for a number, which has none."""
    if case.problem.kind == "regression":
        return {}
    names = case.label.classes or ("0", "1")
    return {name: int((labels == code).sum()) for code, name in enumerate(names)}


def rarest(case: UseCase, labels: NDArray[np.float64]) -> int:
    """Rows of the rarest class; for a number all rows, since none of them is rare."""
    return min(per_class(case, labels).values(), default=len(labels))


def acted_on(case: UseCase) -> list[int]:
    """Positions of the classes that are acted on."""
    return [case.label.classes.index(name) for name in case.problem.act_on]


def came_true(case: UseCase, labels: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Where acting was right (n,): 1, a class that is acted on, or a number from `problem.cost.act_from` on."""
    if case.problem.kind == "regression":
        return np.asarray(labels >= case.problem.threshold)
    return np.isin(labels, acted_on(case) if case.label.classes else [1])

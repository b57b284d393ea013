"""Linear weights that move a prediction only the way the spec allows."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from updraft.model.encoder import Encoder
from updraft.train.design import Design
from updraft.train.task import Task


@dataclass(frozen=True)
class Weights:
    """What a solver found.

    :param weights: Outputs by columns of the design.
    :param intercepts: One per output.
    :param steps: How many it took, where it counts them.
    """

    weights: NDArray[np.float64]
    intercepts: NDArray[np.float64]
    steps: int = 0
    notes: tuple[str, ...] = ()


def fit(design: Design, encoder: Encoder, task: Task, solve: Callable[[Any], Weights]) -> Weights:
    """Solve, take out the numbers whose weight goes the wrong way, and solve again until none does.

    A linear term moves one way throughout, so its sign is all there is to hold. Where the rows contradict a constraint,
    the nearest allowed weight is 0: that number is left out, and a note says so.
    """
    held = {int(design.firsts[i]): (name, sign) for i, (name, sign) in enumerate(_signs(encoder, task)) if sign}
    kept = np.arange(design.columns.shape[1])
    found = solve(design.columns)
    out: list[str] = []
    while wrong := [at for at in held if at in kept and found.weights[0, np.searchsorted(kept, at)] * held[at][1] < 0]:
        out += [held[at][0] for at in wrong]
        kept = np.setdiff1d(kept, wrong)
        found = solve(design.columns[:, kept])
    whole = np.zeros((len(found.weights), design.columns.shape[1]))
    whole[:, kept] = found.weights
    notes = tuple(f"{name} has weight 0: the training rows move the other way than `monotone` allows" for name in out)
    return replace(found, weights=whole, notes=notes)


def _signs(encoder: Encoder, task: Task) -> list[tuple[str, int]]:
    return [(name, task.monotone.get(name, 0)) for name, _ in encoder.features]

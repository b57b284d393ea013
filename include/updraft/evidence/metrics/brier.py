"""Brier score: the mean squared distance between probability and outcome (Brier 1950)."""

from updraft.evidence.metric import Array, mean


def _squares(y: Array, p: Array) -> Array:
    return (p - y) ** 2


METRIC = mean("brier", _squares, higher_is_better=False, bounds=(0.0, 1.0))

"""Accuracy: the share of rows whose likeliest class came true."""

from updraft.evidence.metric import Array, mean


def _right(y: Array, p: Array) -> Array:
    return (p.argmax(axis=1) == y).astype(float)


METRIC = mean("accuracy", _right, higher_is_better=True, bounds=(0.0, 1.0), kinds=("multiclass",))

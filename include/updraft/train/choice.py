"""Which family becomes the candidate: the simplest one that is as good as the best, as far as the rows can tell."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from updraft.train.measure import row_losses

SIMPLEST_FIRST = ("trivial", "logistic", "ridge", "lightgbm")


def losses(
    labels: ArrayLike,
    predicted: ArrayLike,
    partitions: ArrayLike,
    kind: str = "binary",
    weights: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Mean log loss (nats), or squared error of a number, of each partition, in the order of their keys.

    :param weights: How much each row counts; a partition in which none does is left out.

    >>> losses([1.0, 0.0, 1.0], [0.5, 0.5, 1.0], ["a", "a", "b"]).round(4).tolist()
    [0.6931, 0.0]
    """
    keys = np.asarray(partitions).astype(str)
    each = row_losses(np.asarray(labels, float), np.asarray(predicted, float), kind)
    _, place = np.unique(keys, return_inverse=True)
    if weights is None:
        return np.asarray(np.bincount(place, each) / np.bincount(place), dtype=np.float64)
    total = np.bincount(place, weights)
    counts = total > 0
    return np.asarray(np.bincount(place, weights * each)[counts] / total[counts], dtype=np.float64)


def choose(losses: Mapping[str, ArrayLike], families: Sequence[str], of: str = "log loss") -> tuple[str, str]:
    """Take the simplest family within one standard error of the best; return it with the reason.

    The error is that of the paired difference over partitions, since rows of a day rise and fall together. Breiman et
    al., Classification and Regression Trees (1984), section 3.4.3: a more complex model must earn its place.

    :param losses: Loss per validation partition, by family.
    :param families: Those that may become candidate.
    :param of: What the losses are.

    >>> choose({"logistic": [0.5, 0.5], "lightgbm": [0.4, 0.58], "trivial": [0.6, 0.6]}, ["lightgbm", "logistic"])[0]
    'logistic'
    >>> choose({"logistic": [0.5, 0.5], "lightgbm": [0.4, 0.41], "trivial": [0.6, 0.6]}, ["lightgbm", "logistic"])[0]
    'lightgbm'
    """
    found = {family: np.asarray(each, float) for family, each in losses.items()}
    best = min(families, key=lambda family: float(found[family].mean()))
    chosen = next(family for family in sorted(families, key=SIMPLEST_FIRST.index) if ties(found[family], found[best]))
    others = ", ".join(f"{name} {found[name].mean():.4f}" for name in sorted(found) if name != chosen)
    reason = f"{chosen} has validation {of} {found[chosen].mean():.4f}, against {others}"
    if chosen != best:
        reason += f"; {best} is better by less than one standard error, so the simpler family is taken"
    if found["trivial"].mean() <= found[chosen].mean():
        reason += f"; it does not beat the {'base rate' if of == 'log loss' else 'mean'}"
    return chosen, reason


def ties(one: NDArray[np.float64], best: NDArray[np.float64]) -> bool:
    """Say whether `one` is worse than `best` by no more than a standard error; with one partition there is no error."""
    worse = one - best
    error = float(worse.std(ddof=1) / np.sqrt(len(worse))) if len(worse) > 1 else 0.0
    return float(worse.mean()) <= error

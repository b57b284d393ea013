"""Can a classifier tell a window from the reference? It sees what no feature shows alone.

Two runs of days can always be told apart a little: the weather of a week is its own. So the classifier is also put to
runs of the reference itself, each against the others, and only a window that is told apart more easily counts.
"""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from updraft.evidence.interval import Interval
from updraft.evidence.metric import Codes
from updraft.evidence.metrics import METRICS
from updraft.evidence.metrics.auc import clustered, independent, placements
from updraft.evidence.sampling import critical
from updraft.model.encoder import Encoder

if TYPE_CHECKING:
    from pandas import DataFrame

# Runs of the reference that are read, and fewer than which do not tell how easily runs are told apart by chance.
RUNS, FEWEST_RUNS = 7, 4
ROWS = 600  # of each run, and of the window
FOLDS = 3
SEED = 7
_TREES = {
    "objective": "binary",
    "num_leaves": 7,
    "learning_rate": 0.2,
    "min_data_in_leaf": 20,
    "feature_fraction": 0.7,
    "seed": SEED,
    "deterministic": True,
    "force_col_wise": True,
    # Bins by default take half of the time.
    "max_bin": 63,
    "bin_construct_sample_cnt": 1000,
    # A task may have been forked after LightGBM was used; more threads would hang there.
    "num_threads": 1,
    "verbose": -1,
}
_ROUNDS = 12

Rows = NDArray[np.float64]


@dataclass(frozen=True)
class ToldApart:
    """How well a window is told from the reference.

    :param auc: Cross-validated AUC with an interval over partitions.
    :param usual: The same AUC of each run of the reference against the others.
    :param by: Features the classifier used most, most first.
    """

    auc: Interval
    usual: tuple[float, ...]
    by: tuple[str, ...]

    def limit(self, alpha: float) -> float:
        """AUC that one more run of the reference would reach with chance `alpha`.

        It is a prediction bound of a normal law for the log-odds of an AUC (Hahn & Meeker 1991, section 4.7).
        """
        from scipy.special import expit, logit, stdtrit

        odds = logit(np.clip(self.usual, 0.01, 0.99))
        reach = stdtrit(len(odds) - 1, 1 - alpha) * odds.std(ddof=1) * math.sqrt(1 + 1 / len(odds))
        return float(expit(odds.mean() + reach))


def runs(keys: Sequence[str], width: int) -> list[list[str]]:
    """At most `RUNS` runs of `width` neighbouring partitions, evenly spread, the newest among them.

    >>> runs(["a", "b", "c", "d", "e"], 2)
    [['b', 'c'], ['d', 'e']]
    """
    count = len(keys) // width
    whole = [list(keys[len(keys) - (back + 1) * width :][:width]) for back in range(count)][::-1]
    if count <= RUNS:
        return whole
    return [whole[place] for place in np.linspace(0, count - 1, RUNS).round().astype(int)]


def sample(rows: "DataFrame") -> "DataFrame":
    """At most `ROWS` of the rows, drawn by chance but always the same ones, in their order."""
    return rows if len(rows) <= ROWS else rows.iloc[drawn(len(rows))]


def drawn(count: int) -> NDArray[np.int64]:
    """Places that `sample` takes of so many rows."""
    if count <= ROWS:
        return np.arange(count)
    return np.sort(np.random.default_rng(SEED).choice(count, ROWS, replace=False))


def effect(psi: float) -> float:
    """AUC of two normal distributions whose stability index is `psi`.

    >>> round(effect(0.2), 3)
    0.624
    """
    from scipy.special import ndtr

    return float(ndtr(math.sqrt(psi / 2)))


def usual(encoder: Encoder, reference: "DataFrame", *, without: Collection[str] = ()) -> tuple[float, ...]:
    """AUC with which each run of the reference is told from the others; none where there is a single run.

    :param reference: As for `told_apart`.
    """
    known, codes = _matrix(encoder, reference, without), list(encoder.categories)
    parts, run = _numbered(reference), reference["run"].to_numpy()
    sides = [(run == one).astype(float) for one in np.unique(run)]
    return tuple(METRICS["auc"](y, _predicted(known, y, parts, codes)[0]) for y in sides if not y.all())


def told_apart(
    encoder: Encoder,
    reference: "DataFrame",
    current: "DataFrame",
    alpha: float,
    *,
    without: Collection[str] = (),
    known: Sequence[float] = (),
) -> ToldApart:
    """Train the classifier on whole partitions and ask it about others.

    :param encoder: Turns rows into what the champion sees.
    :param reference: Rows of runs of the reference, with `partition` and the `run` each belongs to.
    :param current: Rows of the window, with `partition`.
    :param alpha: What the interval leaves out on either side.
    :param without: Features that the classifier does not see.
    :param known: What `usual` gives, where it was kept.
    """
    before, now = _matrix(encoder, reference, without), _matrix(encoder, current, without)
    among = tuple(known) or usual(encoder, reference, without=without)
    y = np.append(np.zeros(len(before)), np.ones(len(now)))
    blocks = _numbered(reference, current)
    predicted, gain = _predicted(np.vstack([before, now]), y, blocks, list(encoder.categories))
    found = _interval(y, predicted, blocks, 1 - alpha)
    names = [encoder.features[i][0] for i in np.argsort(-gain, kind="stable") if gain[i] > 0]
    return ToldApart(found, among, tuple(names))


def _interval(y: Rows, predicted: Rows, codes: Codes, confidence: float) -> Interval:
    """AUC with bounds that each hold with `confidence`, by rows or by partitions, whichever are wider.

    The reference alone has dozens of partitions: so many that a formula does what a bootstrap of them would.
    """
    off = placements(y, predicted)
    value, blocks = float(off[y == 1].mean()), int(codes.max()) + 1
    by_rows = independent(y, off) * critical(confidence, 1)
    reach = float(np.fmax(by_rows, clustered(y, off, codes) * critical(confidence, blocks)))
    return Interval(value, max(value - reach, 0.0), min(value + reach, 1.0))


def _matrix(encoder: Encoder, rows: "DataFrame", without: Collection[str]) -> Rows:
    matrix = encoder.matrix(rows)
    matrix[:, [column for column, (name, _) in enumerate(encoder.features) if name in without]] = 0.0
    return matrix


def _numbered(*frames: "DataFrame") -> Codes:
    """Number of the partition of each row of all frames, in the order of their keys (n,)."""
    import pandas as pd

    keys = np.concatenate([frame["partition"].to_numpy(object) for frame in frames])
    return np.asarray(pd.factorize(keys, sort=True)[0], dtype=np.intp)


def _predicted(matrix: Rows, y: Rows, blocks: Codes, codes: list[int]) -> tuple[Rows, Rows]:
    """What models that have not seen a row's partition say of it, and the gain of each feature."""
    import lightgbm

    predicted, gain = np.full(len(y), 0.5), np.zeros(matrix.shape[1])
    folds = _folds(y, blocks)
    # Bins know nothing of sides, and making them takes as long as the trees: all folds have the same.
    binned = lightgbm.Dataset(matrix, y, categorical_feature=codes, params=_TREES).construct()
    for fold in np.unique(folds):
        train = folds != fold
        data = binned.subset(np.flatnonzero(train).tolist(), params=_TREES).construct()
        trees = lightgbm.Booster(_TREES, data)  # `train` would copy them through text, which takes as long as all else
        for _ in range(_ROUNDS):
            trees.update()
        predicted[~train] = np.asarray(trees.predict(matrix[~train], num_threads=1))
        gain += trees.feature_importance("gain")
    return predicted, gain


def _folds(y: Rows, blocks: Codes) -> NDArray[np.int64]:
    """Fold per row: partitions in turn, or rows in turn where a side has one partition only."""
    folds = np.empty(len(y), dtype=np.int64)
    for side in (0.0, 1.0):
        inside = y == side
        unit = np.unique(blocks[inside], return_inverse=True)[1]
        folds[inside] = (unit if unit.max() else np.arange(inside.sum())) % FOLDS
    return folds

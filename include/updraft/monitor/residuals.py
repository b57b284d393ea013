"""How wrong predicted numbers are by now: a model of the size of the error, learnt where the labels came true.

Direct loss estimation (NannyML, "Direct Loss Estimation", 2022): a second model predicts the loss of the first one from
the same features. Here it predicts the absolute error, and what is left over is kept to draw from.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from updraft.evidence.metric import Array
from updraft.evidence.sampling import block_codes

_FOLDS = 3
_LEAF_ROWS = 50
_SETTINGS = {
    "objective": "regression", "num_leaves": 7, "learning_rate": 0.1, "min_data_in_leaf": _LEAF_ROWS, "verbosity": -1,
    "deterministic": True, "force_row_wise": True,
}  # fmt: skip
_ROUNDS = 40


@dataclass(frozen=True, eq=False)
class Residuals:
    """Sizes of errors, and what errors look like when measured in them.

    :param sizes: Expected absolute error of each row ahead (m,).
    :param left: Errors (label less prediction) of labelled rows, in units of their expected size (n,).
    :param doubt: Standard error of the sizes, as a share of them.
    """

    sizes: Array
    left: Array
    doubt: float

    def draw(self, predicted: Array, rng: np.random.Generator) -> Array:
        """Labels that the rows ahead may get (m,)."""
        level = max(1.0 + self.doubt * rng.standard_normal(), 0.05)
        return predicted + level * self.sizes * rng.choice(self.left, len(predicted))


def residuals(
    x: Array, error: Array, blocks: NDArray[np.generic], ahead: Array, *, partitions: int, seed: int, threads: int
) -> Residuals:
    """Learn the size of errors.

    :param x: What the size may depend on, for labelled rows (n, f).
    :param error: Label less prediction (n,).
    :param blocks: Partition of each labelled row (n,).
    :param ahead: What it may depend on, for rows without labels (m, f).
    :param partitions: Partitions among these.
    """
    codes, wrong = block_codes(blocks), np.abs(error)
    out_of_fold = np.empty(len(error))
    parts = codes % _FOLDS if codes.max() + 1 >= _FOLDS else np.arange(len(error)) % _FOLDS
    for fold in range(_FOLDS):
        out_of_fold[parts == fold] = _sizes(x[parts != fold], wrong[parts != fold], x[parts == fold], seed, threads)
    level = float(wrong.sum() / out_of_fold.sum()) or 1.0
    return Residuals(
        sizes=level * _sizes(x, wrong, ahead, seed, threads),
        left=error / (level * out_of_fold),
        doubt=_doubt(wrong, level * out_of_fold, codes, partitions),
    )


def _sizes(x: Array, wrong: Array, ahead: Array, seed: int, threads: int) -> Array:
    """Expected absolute error of rows ahead, never below a tenth of the usual one."""
    usual = float(wrong.mean()) if wrong.any() else 1.0
    if len(wrong) < 2 * _LEAF_ROWS or not len(ahead):
        return np.full(len(ahead), usual)
    import lightgbm

    settings = {**_SETTINGS, "seed": seed, "num_threads": threads}
    learnt = lightgbm.train(settings, lightgbm.Dataset(x, wrong), num_boost_round=_ROUNDS)
    return np.maximum(np.asarray(learnt.predict(ahead), dtype=np.float64), usual / 10)


def _doubt(wrong: Array, sizes: Array, codes: NDArray[np.intp], ahead: int) -> float:
    """Standard error of the mean size as a share of it, with partitions as clusters here and ahead."""
    off, total = wrong - sizes, float(wrong.sum()) or 1.0
    rows, blocks = float((off**2).sum()), int(codes.max()) + 1
    if blocks < 2:
        return float(np.sqrt(rows)) / total
    between = float((np.bincount(codes, off) ** 2).sum()) * blocks / (blocks - 1)
    return float(np.sqrt(max(between, rows) + max(between - rows, 0.0) * blocks / max(ahead, 1))) / total

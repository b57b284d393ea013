"""How much each feature counts in what a champion says."""

from typing import TYPE_CHECKING

import numpy as np

from updraft.model.model import Model

if TYPE_CHECKING:
    from pandas import DataFrame

# Enough for shares to a few percent; exact contributions of many rows cost more than the training.
ROWS = 500


def importance(model: Model, rows: "DataFrame") -> dict[str, float]:
    """Mean absolute contribution of each feature to the log-odds, as shares of their sum.

    All families give contributions, so shares mean the same for trees and for lines (Lundberg et al. 2020, eq. 8).
    Empty for a model that says the same of every row.

    :param rows: Feature rows, of which at most `ROWS` are looked at, evenly spread.
    """
    if not len(rows):
        return {}
    looked = rows.iloc[np.unique(np.linspace(0, len(rows) - 1, ROWS).astype(int))]
    sizes = np.abs(model.contributions(looked)[:, :-1]).mean(axis=0)
    names = [name for name, _ in model.manifest.features]
    total = float(sizes.sum())
    return {name: float(size) / total for name, size in zip(names, sizes, strict=True)} if total > 0 else {}

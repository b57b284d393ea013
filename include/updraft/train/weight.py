"""How much each row counts, where the spec names a column that says so."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from updraft.errors import TrainingRefused
from updraft.spec.model import UseCase

if TYPE_CHECKING:
    import pandas as pd

_NAMED = 3


def given(case: UseCase, rows: "pd.DataFrame") -> NDArray[np.float64] | None:
    """What the declared column says of each row (n,); None where none is declared."""
    return None if case.model.weight is None else rows[case.model.weight].to_numpy(np.float64)


def check(case: UseCase, rows: "pd.DataFrame") -> None:
    """Refuse weights that are none.

    :raises TrainingRefused: If one is missing, infinite or negative, or none is above 0.
    """
    weights, name = given(case, rows), case.model.weight
    if weights is None:
        return
    mend = f"mend {name!r} in features.sql, or give rows that shall not count the weight 0."
    if (wrong := ~(np.isfinite(weights) & (weights >= 0))).any():
        there = rows[wrong]
        keys = sorted(there["partition"].unique())
        named = ", ".join(keys[:_NAMED]) + (f" and {len(keys) - _NAMED} more" if len(keys) > _NAMED else "")
        raise TrainingRefused(
            f"{len(there)} of {len(rows)} rows have a weight {name!r} that is missing, infinite or negative: {named}.",
            next_step=mend,
        )
    if not (weights > 0).any():
        raise TrainingRefused(f"All {len(rows)} rows have the weight 0 in {name!r}.", next_step=mend)


def counting(case: UseCase, rows: "pd.DataFrame") -> "pd.DataFrame":
    """Rows that weigh anything."""
    weights = given(case, rows)
    return rows if weights is None else rows[weights > 0]


def notes(case: UseCase) -> tuple[str, ...]:
    """What a reader of the model should know."""
    if case.model.weight is None:
        return ()
    return (
        f"rows count by {case.model.weight} in training, calibration and every choice; metrics count each row once",
    )

"""Is there enough to learn from, and to judge by, in every window?"""

from typing import TYPE_CHECKING

import numpy as np

from updraft.errors import TrainingRefused
from updraft.model import labels
from updraft.spec.model import UseCase
from updraft.train import weight
from updraft.train.split import Split

if TYPE_CHECKING:
    import pandas as pd


_NAMED = 5
_WANTED = {
    "binary": ("neither 0 nor 1", "0, 1"),
    "multiclass": ("none of the classes", "a class of `label.classes`"),
    "regression": ("not finite", "a finite number"),
}


def check(case: UseCase, rows: "pd.DataFrame", windows: Split) -> None:
    """Refuse data that no honest model can come from.

    :raises TrainingRefused: If a label is not of its kind, there are too few rows to train on, or in any window too few
        rows of the rarest class or only one number; says how many there are and how many are needed.
    """
    _check_labels(case, rows)
    counting = weight.counting(case, rows)
    training = len(windows.take(counting, "train"))
    if training < case.model.min_rows:
        raise TrainingRefused(
            f"The training window {_span(windows.train)} has {training} labelled rows, "
            f"{case.model.min_rows} are needed.",
            next_step="wait for more labels to mature, backfill older partitions, or lower `model.min_rows`.",
        )
    for window in windows.windows():
        # Metrics on the holdout count each row once, so there a weight of 0 takes nothing away.
        _check_classes(case, rows if window == "holdout" else counting, windows, window)


def _check_labels(case: UseCase, rows: "pd.DataFrame") -> None:
    strange = int(labels.strange(case, rows[case.label.column].to_numpy(float)).sum())
    if strange:
        found, wanted = _WANTED[case.problem.kind]
        raise TrainingRefused(
            f"{strange} of {len(rows)} labels are {found}.",
            next_step=f"let label.sql return {wanted} or null; rows whose label is null are not trained on.",
        )


def _check_classes(case: UseCase, rows: "pd.DataFrame", windows: Split, window: str) -> None:
    found = windows.take(rows, window)[case.label.column].to_numpy(float)
    span = _span(windows.windows()[window])
    if case.problem.kind == "regression":
        if len(np.unique(found)) < 2:
            raise TrainingRefused(
                f"The {window} window {span} has the same label in all of its {len(found)} rows.",
                next_step="check label.sql: a model can only be trained and judged where the number differs.",
            )
        return
    counted, needed = labels.per_class(case, found), case.model.min_positives
    if min(counted.values()) >= needed:
        return
    fewest = sorted(counted.items(), key=lambda each: each[1])[:_NAMED]
    named = " and ".join(f"{count} labelled {name}" for name, count in fewest).replace(" labelled", " rows labelled", 1)
    raise TrainingRefused(
        f"The {window} window {span} has {named}, {needed} of each are needed.",
        next_step=_remedy(window, fewest[0][1]),
    )


def _remedy(window: str, rarer: int) -> str:
    if rarer == 0:
        return "check label.sql: a model can only be trained and judged where every class occurs."
    more = "backfill older partitions" if window == "train" else f"make `model.{window}` longer"
    return f"wait for more labels to mature, {more}, or lower `model.min_positives`."


def _span(keys: tuple[str, ...]) -> str:
    return f"{keys[0]}..{keys[-1]}"

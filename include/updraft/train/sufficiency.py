"""Is there enough to learn from, and to judge by, in every window?"""

from typing import TYPE_CHECKING

from updraft.errors import TrainingRefused
from updraft.spec.model import UseCase
from updraft.train.split import Split

if TYPE_CHECKING:
    import pandas as pd


def check(case: UseCase, rows: "pd.DataFrame", windows: Split) -> None:
    """Refuse data that no honest model can come from.

    :raises TrainingRefused: If a label is not 0 or 1, there are too few rows to train on, or too few rows of the rarer
        class in any window; says how many there are and how many are needed.
    """
    _check_labels(case, rows)
    training = len(windows.take(rows, "train"))
    if training < case.model.min_rows:
        raise TrainingRefused(
            f"The training window {_span(windows.train)} has {training} labelled rows, "
            f"{case.model.min_rows} are needed.",
            next_step="wait for more labels to mature, backfill older partitions, or lower `model.min_rows`.",
        )
    for window in windows.windows():
        _check_classes(case, rows, windows, window)


def _check_labels(case: UseCase, rows: "pd.DataFrame") -> None:
    strange = rows[case.label.column][~rows[case.label.column].isin([0.0, 1.0])]
    if len(strange):
        raise TrainingRefused(
            f"{len(strange)} of {len(rows)} labels are neither 0 nor 1.",
            next_step="let label.sql return 0, 1 or null; rows whose label is null are not trained on.",
        )


def _check_classes(case: UseCase, rows: "pd.DataFrame", windows: Split, window: str) -> None:
    labels = windows.take(rows, window)[case.label.column]
    ones = int(labels.sum())
    rarer, needed = min(ones, len(labels) - ones), case.model.min_positives
    if rarer >= needed:
        return
    raise TrainingRefused(
        f"The {window} window {_span(windows.windows()[window])} has {ones} rows labelled 1 and "
        f"{len(labels) - ones} labelled 0, {needed} of each are needed.",
        next_step=_remedy(window, rarer),
    )


def _remedy(window: str, rarer: int) -> str:
    if rarer == 0:
        return "check label.sql: a model can only be trained and judged where both kinds occur."
    more = "backfill older partitions" if window == "train" else f"make `model.{window}` longer"
    return f"wait for more labels to mature, {more}, or lower `model.min_positives`."


def _span(keys: tuple[str, ...]) -> str:
    return f"{keys[0]}..{keys[-1]}"

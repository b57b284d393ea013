"""Rows of a champion's own windows, to tell the present from them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from updraft import dataset, features
from updraft.lake import Lake
from updraft.model.model import Model
from updraft.monitor import told_apart
from updraft.spec.model import UseCase

if TYPE_CHECKING:
    from pandas import DataFrame


def reference_rows(case: UseCase, lake: Lake, model: Model, width: int) -> "DataFrame | None":
    """A sample of the rows of a model's windows, in runs of `width` partitions; `None` where there is no whole run.

    They are read anew each time: a copy of rows would outlive their erasure.
    """
    import pandas as pd

    # One run at a time, so that no more is held than the window itself has.
    taken = [_sampled(case, lake, run).assign(run=number) for number, run in enumerate(_runs(case, lake, model, width))]
    return pd.concat(taken, ignore_index=True) if taken else None


def partitions(case: UseCase, lake: Lake, model: Model, width: int) -> list[str]:
    """Keys of the partitions whose rows these are."""
    return [key for run in _runs(case, lake, model, width) for key in run]


def _runs(case: UseCase, lake: Lake, model: Model, width: int) -> list[list[str]]:
    known = set(lake.partitions(features.table(case)))
    keys = sorted(known & {key for name in ("train", "validation", "holdout") for key in model.manifest.windows[name]})
    return told_apart.runs(keys, width)


def usual(case: UseCase, lake: Lake, model: Model) -> tuple[float, ...]:
    """How easily runs as long as a look are told apart from each other; it depends on the model alone."""
    rows = reference_rows(case, lake, model, case.monitor.window)
    return () if rows is None else told_apart.usual(model.encoder, rows)


def _sampled(case: UseCase, lake: Lake, run: Sequence[str]) -> "DataFrame":
    return dataset.frame(case, lake, run, drawn=told_apart.drawn)

"""Time-ordered windows: train | gap | validation | gap | holdout, in whole partitions; and older folds like them.

A fold is what a training some time ago would have seen: the validation window lies one window further back, and
everything before it less the gap is trained on (rolling origin; Tashman, International Journal of Forecasting 2000).

Where the spec names a group, a value of it belongs to one side for ever, by its hash: a fifth of the values to the
holdout, a fifth to validation, the rest to training. Rows that would stand on another side are left out, so what is
measured is measured on groups that the model has never seen.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from updraft.errors import TrainingRefused
from updraft.partition import calendar
from updraft.spec.model import Model, UseCase

if TYPE_CHECKING:
    import pandas as pd

_SIDES = ("holdout", "validation", "train", "train", "train")


@dataclass(frozen=True)
class Split:
    """Partition keys of each window, in order.

    :param train: What the learners are fitted to.
    :param validation: What tunes and calibrates them and chooses among them.
    :param holdout: The newest partitions, which only the gates may look at.
    :param group: Column whose values each belong to one window only.
    """

    train: tuple[str, ...]
    validation: tuple[str, ...]
    holdout: tuple[str, ...]
    group: str | None = None

    def windows(self) -> dict[str, tuple[str, ...]]:
        """The windows by name."""
        return {"train": self.train, "validation": self.validation, "holdout": self.holdout}

    def take(self, rows: "pd.DataFrame", window: str) -> "pd.DataFrame":
        """Rows of a window, in the order given: those of its partitions, and of its groups."""
        return belonging(rows[rows["partition"].isin(list(self.windows()[window]))], self.group, window)


def belonging(rows: "pd.DataFrame", group: str | None, window: str) -> "pd.DataFrame":
    """Rows whose group stands on the side of `window`; all, without a group."""
    if group is None:
        return rows
    values = rows[group].astype(str)
    return rows[values.isin([value for value in values.unique() if side(value) == window])]


def side(value: object) -> str:
    """The window a group belongs to; the same on every machine and in every training.

    >>> side("N14228"), side(0), side(2)
    ('train', 'holdout', 'validation')
    """
    return _SIDES[int.from_bytes(hashlib.sha256(str(value).encode()).digest()[:8], "big") % len(_SIDES)]


def settled(case: UseCase, partitions: Iterable[str]) -> Model:
    """The spec's settings with the gap filled in: as many partitions as wait for labels at the newest one's moment.

    Without it a fold would train on labels that nobody knew when its validation window was predicted.
    """
    newest = max(partitions, default=None)
    if case.model.gap is not None or newest is None:
        return case.model
    return case.model.model_copy(update={"gap": unknown(case, newest)})


def unknown(case: UseCase, key: str) -> int:
    """Partitions before `key` whose labels are not complete when `key` is predicted."""
    dates = calendar(case)
    here, count = dates.at(key), 0
    before = dates.step(here, -1)
    while dates.matures_at(before) > here.as_of:
        before, count = dates.step(before, -1), count + 1
    return count


def split(partitions: Iterable[str], settings: Model) -> Split:
    """Cut partitions into windows, newest last; keys of a calendar sort by time.

    :param settings: With the gap filled in, as `settled` does.
    :raises TrainingRefused: If nothing would be left to train on.
    """
    keys = sorted(set(partitions))
    found = _cut(keys, settings, 0)
    if not found.train:
        gap = settings.gap or 0
        needed = settings.holdout + settings.validation + 2 * gap + 1
        raise TrainingRefused(
            f"{len(keys)} mature partitions with labels, at least {needed} are needed: 1 to train, "
            f"{settings.validation} to validate, {settings.holdout} held out and 2 gaps of {gap}.",
            next_step="wait for more labels to mature, backfill older partitions, or make `model.holdout`, "
            "`model.validation` or `model.gap` smaller in spec.yaml.",
        )
    return found


def folds(partitions: Iterable[str], settings: Model) -> tuple[Split, ...]:
    """The windows and those of older trainings, oldest first; the last is what `split` gives.

    :raises TrainingRefused: As `split`.
    """
    keys = sorted(set(partitions))
    older = (_cut(keys, settings, back) for back in range(settings.folds - 1, 0, -1))
    return (*(fold for fold in older if fold.train), split(keys, settings))


def boundaries(folds: tuple[Split, ...]) -> dict[str, tuple[str, ...]]:
    """Every window by name, the older folds' as `fold_1_train` and so on, for the manifest."""
    older = {
        f"fold_{number}_{window}": getattr(fold, window)
        for number, fold in enumerate(folds[:-1], start=1)
        for window in ("train", "validation")
    }
    return {**folds[-1].windows(), **older}


def _cut(keys: list[str], settings: Model, back: int) -> Split:
    gap, held = settings.gap or 0, len(keys) - settings.holdout
    until = held - gap - back * settings.validation
    since = until - settings.validation
    inside = (
        tuple(keys[: max(0, since - gap)]),
        tuple(keys[max(0, since) : max(0, until)]),
        tuple(keys[max(0, held) :]),
    )
    return Split(*inside, settings.group)

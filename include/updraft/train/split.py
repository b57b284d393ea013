"""Time-ordered windows: train | gap | validation | gap | holdout, in whole partitions."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from updraft.errors import TrainingRefused
from updraft.spec.model import Model

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Split:
    """Partition keys of each window, in order.

    :param train: What the learners are fitted to.
    :param validation: What calibrates them and chooses among them.
    :param holdout: The newest partitions, which only the gates may look at.
    """

    train: tuple[str, ...]
    validation: tuple[str, ...]
    holdout: tuple[str, ...]

    def windows(self) -> dict[str, tuple[str, ...]]:
        """The windows by name."""
        return {"train": self.train, "validation": self.validation, "holdout": self.holdout}

    def take(self, rows: "pd.DataFrame", window: str) -> "pd.DataFrame":
        """Rows whose `partition` is in a window, in the order given."""
        return rows[rows["partition"].isin(list(self.windows()[window]))]


def split(partitions: Iterable[str], settings: Model) -> Split:
    """Cut partitions into windows, newest last; keys of a calendar sort by time.

    A gap keeps features that look back a few partitions from carrying labels of one window into the next.

    :raises TrainingRefused: If nothing would be left to train on.
    """
    keys = sorted(set(partitions))
    ends = [len(keys) - settings.holdout]
    ends.append(ends[0] - settings.gap - settings.validation)
    train = keys[: max(0, ends[1] - settings.gap)]
    if not train:
        needed = settings.holdout + settings.validation + 2 * settings.gap + 1
        raise TrainingRefused(
            f"{len(keys)} mature partitions with labels, at least {needed} are needed: 1 to train, "
            f"{settings.validation} to validate, {settings.holdout} held out and 2 gaps of {settings.gap}.",
            next_step="wait for more labels to mature, backfill older partitions, or make `model.holdout`, "
            "`model.validation` or `model.gap` smaller in spec.yaml.",
        )
    return Split(tuple(train), tuple(keys[ends[1] : ends[0] - settings.gap]), tuple(keys[ends[0] :]))

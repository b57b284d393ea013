"""The ground under all policies: features and labels as they were computed, or as they would have been."""

from collections.abc import Sequence
from functools import reduce
from pathlib import Path

from updraft import dataset, features, ingest
from updraft.asof import Which
from updraft.errors import FeaturesBlocked
from updraft.ingest.computed import empty
from updraft.lake import Lake
from updraft.lake.shadow import Shadow
from updraft.partition import calendar
from updraft.spec.model import UseCase

# What was delivered, and what is known about it.
INPUTS = ("raw", "published", "deliveries", "verdicts", "late", "changes", "discarded")
BUILT = ("features", "labels", "shared", "empty")
_TOGETHER = 32


def lay(case: UseCase, live: Lake, folder: Path, last: str) -> Shadow:
    """Copy features and labels of all history up to `last` into a shadow; compute those that the lake has not.

    What is there already is kept, so it may be called again after it was interrupted.
    """
    lake = Shadow.over(live, str(folder / "ground"), INPUTS)
    _copy(case, "features", _history(case, live, last), live, lake)
    there = lake.partitions(features.table(case))
    _copy(case, "label", there, live, lake)
    dataset.mature_labels(case, there, lake)
    return lake


def _history(case: UseCase, live: Lake, last: str) -> list[str]:
    """Partitions that have features, or could have: each of their sources has delivered."""
    delivered = [ingest.delivered(case, source, live) for source in case.sources]
    could = reduce(set.intersection, delivered) | set(live.partitions(features.table(case)))
    return sorted(key for key in could if calendar(case).first_key <= key <= last)


def _copy(case: UseCase, which: Which, keys: Sequence[str], live: Lake, lake: Shadow) -> None:
    """Copy partitions that were computed by today's definition; compute the features of the others."""
    wanted = [key for key in features.stale(case, keys, lake, which) if key not in empty(case, lake)]
    outdated = features.stale(case, wanted, live, which)
    fresh = [key for key in wanted if key not in set(outdated)]
    for begin in range(0, len(fresh), _TOGETHER):
        some = fresh[begin : begin + _TOGETHER]
        rows = live.read(features.table(case, which), some)
        assert rows is not None  # they are fresh, so there is such a table
        lake.replace(features.table(case, which), rows, some)
    if outdated and which == "features":
        try:
            features.build(case, outdated, lake)
        except FeaturesBlocked:
            return  # all others are built; what the contract blocks has no features in life either

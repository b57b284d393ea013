"""The newest partitions of a use case as the monitor's looks need them, and copies of them that may be broken."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np

from updraft import dataset, features, score
from updraft.errors import FeaturesInvalid
from updraft.ingest.feed import Feed
from updraft.lake import Lake
from updraft.lake.shadow import Shadow
from updraft.life import likeness
from updraft.life.monitor import monitor_table
from updraft.model import store
from updraft.partition import Partition, calendar
from updraft.query import sources_of
from updraft.rows import Rows
from updraft.spec.model import UseCase

Breaks = Mapping[Literal["features", "scores", "labels"], Callable[[Rows], Rows]]
# What a look reads besides the tables that are copied. The ledger is among it, and cannot be written through a shadow.
_SHOWN = ("raw", "shared", "empty", "deliveries", "late", "ledger", "models", "references", "evidence", "trainings")
_LOOKED_BACK = 4  # times `monitor.of` partitions that are measured already


@dataclass(frozen=True)
class Scene:
    """A use case at its newest looks.

    :param looks: Partitions that are looked at, oldest first: as many as make an incident.
    :param keys: Scored partitions that these looks take in.
    :param mature: Those among them whose labels are mature at the newest look.
    """

    case: UseCase
    live: Lake
    champion: str
    looks: tuple[str, ...]
    keys: tuple[str, ...]
    mature: tuple[str, ...]

    @cached_property
    def ranked(self) -> list[str]:
        """Features by how far they move the champion's scores, the furthest first."""
        model = store.load(self.live, self.case.name, self.champion)
        frame = dataset.frame(self.case, self.live, self.keys)
        shares = np.abs(model.contributions(frame)[:, :-1]).mean(axis=0)
        names = [name for name, _ in model.manifest.features]
        return [names[place] for place in np.argsort(-shares, kind="stable")]

    @cached_property
    def silenced(self) -> dict[str, set[str]]:
        """Deliveries by source without which no label of `mature` can be complete."""
        if not self.mature:
            return {}
        after = calendar(self.case).step(calendar(self.case).at(self.mature[0]), 1).key
        sources = sources_of(self.case, self.case.sql("label"), f"label.sql of {self.case.name}")
        there = {name: Feed(self.case, name, self.live).published() for name in sources}
        return {name: {key for key in keys if key >= after} for name, keys in there.items()}


def scene(case: UseCase, at: Partition, live: Lake) -> Scene:
    """Take in what the looks at `at` and shortly before it read.

    :raises NoChampion: If there is no model to watch.
    :raises FeaturesInvalid: If the partition has not been scored.
    """
    dates, window = calendar(case), case.monitor.window
    scored = [key for key in live.partitions(score.table(case)) if key <= at.key]
    if at.key not in scored:
        raise FeaturesInvalid(f"Partition {at} of {case.name} has not been scored.", next_step="name one that has.")
    looks = scored[-case.monitor.alarms :]
    first, last = (dates.last_mature(dates.at(look).as_of) for look in (looks[0], looks[-1]))
    before = [key for key in scored if first is not None and key <= first.key][-window:]
    begin = min([*before, *[key for key in scored if key <= looks[0]][-window:]])
    keys = [key for key in scored if key >= begin]
    mature = [key for key in keys if last is not None and key <= last.key]
    return Scene(case, live, score.pin(case, live), tuple(looks), tuple(keys), tuple(mature))


def copy(seen: Scene, folder: Path, breaks: Breaks, *, silent: bool = False) -> Shadow:
    """Copy a scene into a shadow, and break the copy.

    :param breaks: What becomes of the rows of a table.
    :param silent: Whether the deliveries that carry the labels did not come.
    """
    case, live = seen.case, seen.live
    lake = Shadow.over(live, str(folder), (*_SHOWN, *(() if silent else ("published",))))
    if silent:
        _withhold(seen, lake)
    tables = {"features": features.table(case), "scores": score.table(case), "labels": features.table(case, "label")}
    lake.replace(tables["features"], *_reference(seen))
    for table in tables.values():
        if rows := live.read(table, seen.keys):
            lake.replace(table, rows, seen.keys)
    if not silent:
        dataset.mature_labels(case, seen.mature, lake)
    for kind, broken in breaks.items():
        if lake.version(tables[kind]) is not None:  # before any label is mature there is no table of them
            lake.update(tables[kind], seen.keys, lambda rows, broken=broken: broken(rows))  # type: ignore[misc]
    measured = [key for key in live.partitions(monitor_table(case)) if key < seen.looks[0]]
    earlier = measured[-_LOOKED_BACK * case.monitor.of :]
    if earlier and (rows := live.read(monitor_table(case), earlier)):
        lake.replace(monitor_table(case), rows, earlier)
    return lake


def _reference(seen: Scene) -> tuple[Rows, list[str]]:
    """Feature rows of the champion's own windows that a look compares with, and their partitions."""
    model = store.load(seen.live, seen.case.name, seen.champion)
    keys = likeness.partitions(seen.case, seen.live, model, seen.case.monitor.window)
    rows = seen.live.read(features.table(seen.case), keys)
    assert rows is not None  # the champion learnt from them
    return rows, keys


def _withhold(seen: Scene, lake: Shadow) -> None:
    """Announce what was delivered, without the deliveries that carry the labels."""
    for name in seen.case.sources:
        feed = Feed(seen.case, name, lake)
        there = Feed(seen.case, name, seen.live).published()
        feed.announce(sorted(there - seen.silenced.get(name, set())))

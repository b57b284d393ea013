"""Look back: can the feature rows of a model be computed again by one who is blind to what came after their moment?

A sample of partitions is computed anew from raw tables in which everything known after the partition's moment is
scrambled or gone, and must give the very bytes that the model was trained and examined on. Partitions are left out
for which rows came late that the spec says to keep as computed: they are known to differ.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from updraft import features
from updraft.asof import STAMP
from updraft.errors import Permanent
from updraft.evidence.hindsight import Hindsight
from updraft.ingest import late
from updraft.lake import Lake
from updraft.lake.shadow import Shadow
from updraft.model.model import Model
from updraft.partition import calendar
from updraft.rows import Rows, digest
from updraft.spec.model import UseCase

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pandas import DataFrame

SAMPLED = 5
_STAMPS = ("event_time", "known_at", "delivery", "row", "partition")


def look_back(case: UseCase, lake: Lake, model: Model) -> Hindsight:
    """Compute a sample of a model's training and held-out partitions again, blind to what came after."""
    windows = model.manifest.windows
    kept = {key for one in late.recorded(case, lake) if not one.rebuilt for key in one.features}
    keys = _sample([k for k in (*windows["train"], *windows["holdout"]) if k not in kept])
    stored = lake.read(features.table(case), keys)
    rows, changed, where = 0, dict[str, int](), list[str]()
    for key in keys:
        assert stored is not None
        mine = stored.filter(pc.equal(stored["partition"], key))
        try:
            differs = _changes(case, mine, _blind(case, key, lake))
        except Permanent as refused:
            return Hindsight(tuple(keys), rows, changed, tuple(where), f"{key}: {refused.what[:200]}")
        rows += len(mine)
        changed = {name: changed.get(name, 0) + differs.get(name, 0) for name in {**changed, **differs}}
        where += [key] if differs else []
    return Hindsight(tuple(keys), rows, changed, tuple(where))


@dataclass(frozen=True)
class Blindfold(Shadow):
    """A lake whose raw tables say nothing true about what became known after a moment."""

    moment: datetime | None = None

    def read(
        self, table: str, partitions: "Sequence[str] | None" = None, columns: "Sequence[str] | None" = None
    ) -> Rows | None:
        """Read rows; every second one known after the moment is gone, the others have each other's values."""
        rows = super().read(table, partitions, columns)
        return rows if rows is None or "known_at" not in rows.column_names else self._scrambled(rows)

    def _scrambled(self, rows: Rows) -> Rows:
        known = pc.less_equal(rows["known_at"], pa.scalar(self.moment, STAMP))
        after = rows.filter(pc.invert(known))
        after = after.take(pa.array(range(0, len(after), 2), pa.int64()))
        turned = after.take(pa.array(range(len(after) - 1, -1, -1), pa.int64()))
        mixed = {n: (after if n in _STAMPS else turned)[n] for n in rows.column_names}
        return pa.concat_tables([rows.filter(known), pa.table(mixed, schema=rows.schema)])


def _blind(case: UseCase, key: str, lake: Lake) -> Rows:
    """The features of a partition, with everything loaded that is known by the time its labels are complete."""
    dates = calendar(case)
    day = dates.at(key)
    blindfold = Blindfold(lake.uri, lake.options, live=lake, moment=day.as_of)
    return features.computed(case, day, blindfold, latest=dates.matures_at(day))


def _sample(keys: list[str]) -> list[str]:
    if not keys:
        return []
    places = np.unique(np.linspace(0, len(keys) - 1, min(SAMPLED, len(keys))).astype(int))
    return [keys[place] for place in places]


def _changes(case: UseCase, stored: Rows, blind: Rows) -> dict[str, int]:
    """Rows that differ, by column."""
    columns = [name for name in blind.column_names if name in stored.column_names]
    if len(stored) == len(blind) and digest(stored.select(columns)) == digest(blind):
        return {}
    both = _frame(stored, columns).merge(
        _frame(blind, columns), on=list(case.entity), how="outer", suffixes=("", " again"), indicator="side"
    )
    matched = both[both["side"] == "both"]
    found = {"row": int((both["side"] != "both").sum())}
    for name in (name for name in columns if name not in case.entity):
        a, b = matched[name], matched[f"{name} again"]
        found[name] = int((~((a == b) | (a.isna() & b.isna()))).sum())
    return {name: count for name, count in found.items() if count}


def _frame(rows: Rows, columns: list[str]) -> "DataFrame":
    return rows.select(columns).to_pandas()

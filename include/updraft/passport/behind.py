"""What lies behind a feature row: the raw rows and deliveries its query could see.

Behind a partition's features are, per source, the newest version of each key that was known at the partition's moment
and delivered in the partitions the source's `lookback` reaches. Rows that name the entity are shown: those with its own
columns, or else with the columns of the source's key that the feature row has too. What the query made of the others,
such as a rate over a month, rests on all of them; of these the deliveries are listed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from updraft.asof import aligned, newest, raw_schema, raw_table
from updraft.ingest.feed import Delivery, Feed
from updraft.passport.scene import Scene
from updraft.receipt import window
from updraft.rows import Rows
from updraft.spec.sources import Source

ROWS_SHOWN = 5


@dataclass(frozen=True)
class Behind:
    """One source, as the features of a partition could see it.

    :param matched: Columns by which rows name the entity; none where only aggregates can rest on the source.
    :param rows: Rows that name it, newest event first, at most five of `of`.
    :param deliveries: Every delivery within sight: partition, digest, origin, when it landed, its rows, those published
        and those known at the moment.
    """

    source: str
    first: str
    last: str
    matched: tuple[str, ...]
    rows: tuple[Mapping[str, Any], ...]
    of: int
    deliveries: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class Sight:
    """A source within the sight of a partition, read once."""

    scene: Scene
    name: str

    @cached_property
    def feed(self) -> Feed:
        """The source and its lake."""
        return Feed(self.scene.case, self.name, self.scene.lake)

    @cached_property
    def keys(self) -> list[str]:
        """Delivery partitions within sight."""
        return window(self.scene.case, self.name, self.scene.day)

    @cached_property
    def raw(self) -> Rows:
        """Raw rows within sight, whenever they became known."""
        rows = self.scene.lake.read(raw_table(self.scene.case, self.name), self.keys)
        return aligned(rows, raw_schema(self.feed.source))

    @cached_property
    def seen(self) -> Rows:
        """The newest version per key that was known at the moment."""
        import duckdb

        known = self.raw.filter(pc.less_equal(self.raw["known_at"], pa.scalar(self.scene.day.as_of)))
        with duckdb.connect(config={"threads": 1}) as db:
            db.execute("SET TimeZone = 'UTC'")
            db.register("known", known)
            return db.sql(f"SELECT * FROM known QUALIFY {newest(self.feed.source)}").to_arrow_table()  # noqa: S608

    @cached_property
    def records(self) -> dict[str, tuple[bytes, Delivery | None]]:
        """Records of deliveries by identity: as stored, and as read where they can be."""
        wanted, found = set(self.keys), {}
        for place in self.scene.lake.keys(f"deliveries/{self.scene.case.name}/{self.name}"):
            if place.split("/")[3] in wanted:
                try:
                    read = self.feed.recorded(place)
                except (ValueError, TypeError, KeyError):
                    read = None
                found[place.split("/", 3)[3].removesuffix(".json")] = (self.scene.lake.get(place), read)
        return found

    def behind(self, row: Mapping[str, Any] | None) -> Behind:
        """What of it lies behind a feature row."""
        matched = _matched(self.feed.source, self.scene.case.entity, row or {})
        mine = self.seen
        for name in matched:
            mine = mine.filter(pc.equal(mine[name], pa.scalar((row or {})[name], mine.schema.field(name).type)))
        rows = mine.sort_by([("event_time", "descending")]).to_pylist() if matched else []
        listed = tuple(self._listed(delivery) for _, delivery in self.records.values() if delivery)
        shown = tuple(rows[:ROWS_SHOWN])
        return Behind(self.name, self.keys[0], self.keys[-1], matched, shown, len(rows), listed)

    def _listed(self, delivery: Delivery) -> Mapping[str, Any]:
        rows = self.of(delivery)
        known = pc.sum(pc.less_equal(rows["known_at"], pa.scalar(self.scene.day.as_of))).as_py() or 0
        told = {name: getattr(delivery, name) for name in ("partition", "delivery", "origin", "landed_at", "rows")}
        return {**told, "published": len(rows), "known": known}

    def of(self, delivery: Delivery) -> Rows:
        """Raw rows of a delivery."""
        mine = pc.equal(self.raw["partition"], delivery.partition)
        return self.raw.filter(pc.and_(mine, pc.equal(self.raw["delivery"], delivery.delivery)))


def of(scene: Scene, names: Sequence[str]) -> list[Sight]:
    """The sources of a partition's features."""
    return [Sight(scene, name) for name in names]


def _matched(source: Source, entity: Sequence[str], row: Mapping[str, Any]) -> tuple[str, ...]:
    columns = source.stored().columns
    own = [name for name in entity if name in columns]
    return tuple(name for name in (own or source.key) if row.get(name) is not None and name in columns)

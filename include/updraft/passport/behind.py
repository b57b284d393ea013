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

from updraft.asof import newest, raw_schema, raw_table
from updraft.ingest.feed import Delivery, Feed
from updraft.passport.scene import Scene
from updraft.receipt import window
from updraft.rows import Rows, aligned
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
    def known(self) -> Rows:
        """Raw rows that were known at the moment, all versions of every key."""
        return self.raw.filter(pc.less_equal(self.raw["known_at"], pa.scalar(self.scene.day.as_of)))

    def seen(self, values: Mapping[str, Any]) -> Rows:
        """The newest version, at the moment, of each key that has these values."""
        import duckdb

        own = {name: value for name, value in values.items() if name in self.feed.source.key}
        # What is in the key is the same in all versions and may be looked at first; the rest may have been corrected.
        few = _with(self.known, own)
        with duckdb.connect(config={"threads": 1}) as db:
            db.execute("SET TimeZone = 'UTC'")
            db.register("few", few)
            newest_rows = db.sql(f"SELECT * FROM few QUALIFY {newest(self.feed.source)}").to_arrow_table()  # noqa: S608
        return _with(newest_rows, values)

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
        mine = self.seen({name: (row or {})[name] for name in matched}) if matched else self.known.slice(0, 0)
        rows = mine.sort_by([("event_time", "descending")])
        listed = tuple(self._listed(delivery) for _, delivery in self.records.values() if delivery)
        shown = tuple(rows.slice(0, ROWS_SHOWN).to_pylist())
        return Behind(self.name, self.keys[0], self.keys[-1], matched, shown, len(rows), listed)

    def _listed(self, delivery: Delivery) -> Mapping[str, Any]:
        told = {name: getattr(delivery, name) for name in ("partition", "delivery", "origin", "landed_at", "rows")}
        counts = {what: self.counts[what].get(delivery.identity, 0) for what in ("published", "known")}
        return {**told, **counts}

    @cached_property
    def counts(self) -> dict[str, dict[str, int]]:
        """Raw rows by the identity of their delivery: published at all, and known at the moment."""
        return {"published": _counted(self.raw), "known": _counted(self.known)}

    def of(self, delivery: Delivery) -> Rows:
        """Raw rows of a delivery."""
        mine = pc.equal(self.raw["partition"], delivery.partition)
        return self.raw.filter(pc.and_(mine, pc.equal(self.raw["delivery"], delivery.delivery)))


def of(scene: Scene, names: Sequence[str]) -> list[Sight]:
    """The sources of a partition's features."""
    return [Sight(scene, name) for name in names]


def _counted(rows: Rows) -> dict[str, int]:
    counted = rows.group_by(["partition", "delivery"]).aggregate([([], "count_all")]).to_pylist()
    return {f"{found['partition']}/{found['delivery']}": found["count_all"] for found in counted}


def _with(rows: Rows, values: Mapping[str, Any]) -> Rows:
    for name, value in values.items():
        rows = rows.filter(pc.equal(rows[name], pa.scalar(value, rows.schema.field(name).type)))
    return rows


def _matched(source: Source, entity: Sequence[str], row: Mapping[str, Any]) -> tuple[str, ...]:
    columns = source.stored().columns
    own = [name for name in entity if name in columns]
    return tuple(name for name in (own or source.key) if row.get(name) is not None and name in columns)

"""Snapshots: a delivery that holds the whole table, stored as what it changed: new, changed and gone rows.

What a snapshot changed depends on those before it alone. So when one comes late, or comes again, those behind it are
compared anew, and every order of arrival ends in the same rows (docs/adr/0008).
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from updraft.asof import GONE, newest, raw_schema
from updraft.ingest.feed import Delivery, Feed
from updraft.ingest.stamp import known_at
from updraft.ingest.verdict import Rejected, kept
from updraft.rows import Rows, aligned, quoted
from updraft.sources.decode.cast import typed

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass(frozen=True)
class Snapshot:
    """A delivery that holds the whole table.

    :param rows: Its good rows, stamped.
    :param rejected: Its bad ones: they are in quarantine, which does not mean that their facts are gone.
    """

    delivery: Delivery
    rows: Rows
    rejected: Rejected


def behind(feed: Feed, deliveries: Sequence[Delivery]) -> list[Delivery]:
    """Snapshots that count, from the partition of the first of `deliveries` on, in order."""
    first = min(delivery.partition for delivery in deliveries)
    landed = feed.deliveries([key for key in feed.partitions() if key >= first])
    verdicts = {delivery.identity: kept(feed, delivery) for delivery in landed}
    count = [d for d in landed if (v := verdicts[d.identity]) is not None and v.outcome != "blocked"]
    return sorted(count, key=lambda d: (d.partition, d.revision, d.delivery))


def changes(
    feed: Feed, before: Rows | None, snapshots: Iterable[Snapshot], wanted: Sequence[Delivery]
) -> dict[str, Rows]:
    """What each snapshot changed, by identity: those `wanted`, and those behind them whose changes depend on them.

    :param before: Rows of the raw table of earlier partitions.
    :param snapshots: In order; read as far as needed.
    """
    import duckdb

    found: dict[str, Rows] = {}
    pending = {delivery.identity for delivery in wanted}
    with duckdb.connect(config={"threads": 1}) as db:
        db.execute("SET TimeZone = 'UTC'")
        _load(db, "old", aligned(before, raw_schema(feed.source)))
        db.execute(f"CREATE TABLE state AS SELECT {_own(feed)} FROM old QUALIFY {newest(feed.source)}")  # noqa: S608
        for snapshot in snapshots:
            found[snapshot.delivery.identity] = _step(db, feed, snapshot)
            pending -= {snapshot.delivery.identity}
            # A snapshot without a bad row says all there is to say: what follows it does not depend on what was before.
            if not pending and not snapshot.rejected and snapshot.delivery not in wanted:
                break
    return found


def gone(rows: Rows) -> int:
    """How many of a snapshot's changes say that a fact is gone."""
    return int(pc.sum(rows[GONE]).as_py() or 0)


def _step(db: "DuckDBPyConnection", feed: Feed, snapshot: Snapshot) -> Rows:
    """Compare a snapshot with the state before it, and make it the state."""
    keys = ", ".join(map(quoted, feed.source.key))
    _load(db, "incoming", snapshot.rows)
    db.execute(
        f"CREATE OR REPLACE TABLE content AS SELECT * FROM incoming "  # noqa: S608 - validated names
        f"QUALIFY row_number() OVER (PARTITION BY {keys} ORDER BY row DESC) = 1"
    )
    _spare(db, feed, snapshot.rejected)
    same = " AND ".join(f"c.{quoted(n)} IS NOT DISTINCT FROM s.{quoted(n)}" for n in feed.source.columns)
    changed = db.sql(f"SELECT c.* FROM content c ANTI JOIN state s ON {same}").to_arrow_table()  # noqa: S608
    vanished = db.sql(
        f"SELECT * FROM state ANTI JOIN content USING ({keys}) ANTI JOIN spared USING ({keys}) ORDER BY {keys}"  # noqa: S608
    ).to_arrow_table()
    db.execute(
        f"CREATE OR REPLACE TABLE state AS SELECT {_own(feed)} FROM content UNION ALL "  # noqa: S608
        f"SELECT s.* FROM state s SEMI JOIN spared USING ({keys}) ANTI JOIN content USING ({keys})"
    )
    schema = raw_schema(feed.source)
    return pa.concat_tables([aligned(changed, schema), _tombstones(feed, snapshot.delivery, aligned(vanished, schema))])


def _spare(db: "DuckDBPyConnection", feed: Feed, rejected: Rejected) -> None:
    """Note the keys that are in quarantine; where one of them cannot be read, any may be there, and nothing is gone."""
    keys = _keys(feed, rejected)
    if keys is None:
        db.execute(f"CREATE OR REPLACE TABLE spared AS SELECT {', '.join(map(quoted, feed.source.key))} FROM state")  # noqa: S608
        return
    _load(db, "spared", keys)


def _keys(feed: Feed, rejected: Rejected) -> Rows | None:
    schema = raw_schema(feed.source)
    originals = [json.loads(original) for _, _, _, original, _ in rejected]
    columns: dict[str, Any] = {}
    for name in feed.source.key:
        texts = pa.chunked_array([pa.array([original.get(name) for original in originals], pa.string())])
        columns[name] = typed(texts, feed.source.columns[name])[0].cast(schema.field(name).type)
        if columns[name].null_count:
            return None
    return pa.table(columns)


def _tombstones(feed: Feed, delivery: Delivery, gone: Rows) -> Rows:
    """Rows that say that facts are gone, as they were last seen; numbered behind the rows of the delivery."""
    stamps = {
        "known_at": known_at(feed, delivery, gone),
        "delivery": pa.repeat(delivery.delivery, len(gone)),
        "row": pa.array(range(delivery.rows + 1, delivery.rows + 1 + len(gone)), pa.int64()),
        "partition": pa.repeat(delivery.partition, len(gone)),
        GONE: pa.repeat(True, len(gone)),
    }
    columns = {name: stamps.get(name, gone[name]) for name in gone.column_names}
    return pa.table(columns, schema=gone.schema)


def _own(feed: Feed) -> str:
    return ", ".join(map(quoted, [*feed.source.columns, "event_time"]))


def _load(db: "DuckDBPyConnection", name: str, rows: Rows) -> None:
    db.register("arrow", rows)
    db.execute(f"CREATE OR REPLACE TABLE {quoted(name)} AS SELECT * FROM arrow")  # noqa: S608 - a name of this module
    db.unregister("arrow")

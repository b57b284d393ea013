"""Late rows: rows that became known before partitions were computed without them, and what the spec says to do.

They are recorded before they are published, so that a run killed in between cannot publish them unnoticed.
"""

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Literal

import pyarrow.compute as pc

from updraft.asof import raw_schema, raw_table
from updraft.ingest.computed import affected, computed, of_shared
from updraft.ingest.feed import Delivery, Feed, named
from updraft.lake import Lake
from updraft.rows import Rows, aligned, digest
from updraft.spec.model import UseCase

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Late:
    """Rows of a delivery that came after partitions which should have seen them.

    :param known_from: Earliest moment at which one of them became known (UTC, ISO 8601).
    :param features: Partitions whose features were computed without them.
    :param labels: Partitions whose labels were.
    :param shared: Partitions of shared feature sets that were, as `<name>/<partition>`.
    :param policy: What the spec said when they were published.
    :param rebuilt: Whether they have been computed anew since; under `keep`, never.
    """

    source: str
    partition: str
    delivery: str
    known_from: str
    features: tuple[str, ...]
    labels: tuple[str, ...]
    policy: Literal["keep", "rebuild"]
    rebuilt: bool = False
    shared: tuple[str, ...] = ()


def changed(feed: Feed, deliveries: Sequence[Delivery], parts: Mapping[str, Rows]) -> dict[Delivery, datetime]:
    """Deliveries whose rows differ from those published, and from when on that can be seen.

    :param parts: Rows to be published, by identity; a delivery that is not there loses the rows it has.
    """
    schema = raw_schema(feed.source)
    stored = aligned(feed.lake.read(raw_table(feed.case, feed.name), _keys(deliveries)), schema)
    found = {}
    for delivery in deliveries:
        mine = pc.and_(
            pc.equal(stored["partition"], delivery.partition), pc.equal(stored["delivery"], delivery.delivery)
        )
        old, new = stored.filter(mine), parts.get(delivery.identity, schema.empty_table())
        moments = [m for rows in (old, new) if (m := pc.min(rows["known_at"]).as_py()) is not None]
        if moments and (len(old) != len(new) or digest(old) != digest(new)):
            found[delivery] = min(moments)
    return found


def note(feed: Feed, changes: Mapping[Delivery, datetime]) -> None:
    """Record which of the changes come too late for what has been computed by now."""
    there = computed(feed.case, feed.lake) if changes else {}
    published = feed.published() if any(there.values()) else set()
    for delivery, known_from in changes.items():
        found = affected(feed.case, feed.name, known_from, delivery.partition, there)
        if delivery.partition not in published:
            # Features of a partition that lacked a source were computed too early, whatever came late.
            found["features"] = tuple(key for key in found["features"] if key != delivery.partition)
        if not any(found.values()):
            continue
        before = _read(feed.lake, [_place(feed, delivery)])
        late = Late(
            source=feed.name,
            partition=delivery.partition,
            delivery=delivery.delivery,
            known_from=known_from.isoformat(),
            features=_with(found["features"], *(old.features for old in before)),
            labels=_with(found["label"], *(old.labels for old in before)),
            shared=_with(of_shared(found), *(old.shared for old in before)),
            policy=feed.source.late,
        )
        if before != [late]:
            _keep(feed.case, feed.lake, late)
            _log.warning(
                "%s of %s came late for features of %s and labels of %s: %s",
                feed.name, delivery.partition, named(late.features) or "none", named(late.labels) or "none",
                late.policy,
            )  # fmt: skip


def noted(feed: Feed, deliveries: Sequence[Delivery]) -> tuple[Late, ...]:
    """What was recorded about deliveries."""
    mine = {_place(feed, delivery) for delivery in deliveries}
    return tuple(_read(feed.lake, sorted(mine & set(feed.lake.keys(f"late/{feed.case.name}/{feed.name}")))))


def recorded(case: UseCase, lake: Lake) -> tuple[Late, ...]:
    """Everything that came late, of every source."""
    return tuple(_read(lake, lake.keys(f"late/{case.name}")))


def settle(case: UseCase, lake: Lake, late: Iterable[Late]) -> None:
    """Mark what was computed anew; a record that changed meanwhile stays open."""
    for done in late:
        if _read(lake, [_key(case, done)]) == [done]:
            _keep(case, lake, replace(done, rebuilt=True))


def told(late: Sequence[Late]) -> dict[str, Any]:
    """What fits into a summary."""
    shared = sorted({key for one in late for key in one.shared})
    return {
        "policy": late[0].policy,
        "features": named(sorted({key for one in late for key in one.features})),
        "labels": named(sorted({key for one in late for key in one.labels})),
        **({"shared": named(shared)} if shared else {}),
    }


def _with(keys: Iterable[str], *others: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({*keys}.union(*others)))


def _keys(deliveries: Sequence[Delivery]) -> list[str]:
    return sorted({delivery.partition for delivery in deliveries})


def _place(feed: Feed, delivery: Delivery) -> str:
    return feed.place("late", delivery.identity, ".json")


def _key(case: UseCase, late: Late) -> str:
    return f"late/{case.name}/{late.source}/{late.partition}/{late.delivery}.json"


def _keep(case: UseCase, lake: Lake, late: Late) -> None:
    lake.put(_key(case, late), json.dumps(asdict(late), sort_keys=True).encode())


def _read(lake: Lake, places: Iterable[str]) -> list[Late]:
    found = []
    for place in places:
        try:
            said = json.loads(lake.get(place))
        except FileNotFoundError:
            continue
        listed = {name: tuple(said.get(name, ())) for name in ("features", "labels", "shared")}
        found.append(Late(**{**said, **listed}))
    return found

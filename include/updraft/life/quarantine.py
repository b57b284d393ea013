"""Quarantine: what is decided about rows that are held, and which features and labels that changes.

A replay publishes rows as known when they were delivered, so partitions computed since may have missed them. They are
listed, and rebuilt when somebody asks for it; until then they stay as they were computed.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from updraft import features, ingest
from updraft.errors import Permanent, did_you_mean
from updraft.ingest import change as moves
from updraft.ingest.change import Change
from updraft.ingest.computed import affected as seen
from updraft.ingest.computed import computed, of_shared
from updraft.ingest.feed import Feed, named
from updraft.ingest.replay import discard, replay
from updraft.lake import Lake
from updraft.life.features import compute_again
from updraft.spec.model import UseCase

ACTIONS = ("replay", "discard")
_SHOWN = 10


@dataclass(frozen=True)
class Affected:
    """Partitions that were computed before rows they could have seen were published.

    :param rebuilt: Whether they have been computed again since.
    :param shared: Partitions of shared feature sets, as `<name>/<partition>`.
    """

    features: tuple[str, ...]
    labels: tuple[str, ...]
    rebuilt: bool = False
    shared: tuple[str, ...] = ()


def act(
    case: UseCase,
    action: str,
    source: str,
    keys: Sequence[str],
    lake: Lake,
    *,
    who: str,
    why: str = "",
    delivery: str = "",
    rebuild: bool = False,
) -> dict[str, Any]:
    """Replay or discard what is held of a source; say what came of it, in a small JSON value.

    :param why: The reason; a discard needs one.
    :param delivery: How the digest of the only delivery to discard begins.
    :param rebuild: Whether to compute affected features and labels again.
    :raises Permanent: If there is no such action, or a discard has no reason.
    """
    if action == "replay":
        return _replayed(case, source, keys, lake, who=who, rebuild=rebuild)
    if action == "discard":
        done = discard(case, source, keys, lake, who=who, why=why, delivery=delivery)
        told = {"source": source, "discarded": done.rows, "partitions": len(done.partitions)}
        return {"action": action, **told, "complete": _complete(case, source, keys, lake)}
    raise Permanent(
        f"There is no action {action[:40]!r}; {did_you_mean(action[:40], ACTIONS)}", next_step="name one of the two."
    )


def affected(case: UseCase, source: str, keys: Sequence[str], lake: Lake) -> Affected:
    """Partitions that wait for a rebuild because rows of `keys` were replayed."""
    feed = Feed(case, source, lake)
    found = [_affected(feed, change) for change in moves.kept(feed, keys)]
    waiting = [one for one in found if not one.rebuilt]
    return Affected(
        tuple(sorted({key for one in waiting for key in one.features})),
        tuple(sorted({key for one in waiting for key in one.labels})),
        shared=tuple(sorted({key for one in waiting for key in one.shared})),
    )


def rebuild_affected(case: UseCase, source: str, keys: Sequence[str], lake: Lake) -> Affected:
    """Compute the partitions again that wait for it; scores that stand there are kept."""
    feed = Feed(case, source, lake)
    changes, waiting = moves.kept(feed, keys), affected(case, source, keys, lake)
    compute_again(case, lake, waiting.features, waiting.labels, waiting.shared)
    for change in changes:
        done = asdict(_affected(feed, change)) | {"rebuilt": True}
        lake.put(_place(feed, change), json.dumps(done).encode())
    return waiting


def _replayed(
    case: UseCase, source: str, keys: Sequence[str], lake: Lake, *, who: str, rebuild: bool
) -> dict[str, Any]:
    done = replay(case, source, keys, lake, who=who)
    waiting = (rebuild_affected if rebuild else affected)(case, source, keys, lake)
    return {
        "action": "replay",
        "source": source,
        "partitions": len(done.partitions),
        "released": done.released,
        "withdrawn": done.withdrawn,
        "held": done.held,
        "still": {key: why[:200] for key, why in sorted(done.still.items())[:_SHOWN]},
        "features": named(waiting.features),
        "labels": named(waiting.labels),
        **({"shared": named(waiting.shared)} if waiting.shared else {}),
        "rebuilt": rebuild,
        "complete": _complete(case, source, keys, lake),
    }


def _complete(case: UseCase, source: str, keys: Sequence[str], lake: Lake) -> list[str]:
    """Partitions in which nothing blocks any more and for which nothing was computed yet: the next stage may go on."""
    computed = set(lake.partitions(features.table(case)))
    return sorted((set(keys) & ingest.delivered(case, source, lake)) - computed)[:_SHOWN]


def _affected(feed: Feed, change: Change) -> Affected:
    """What was looked up for a change, once its rows had moved."""
    try:
        found = json.loads(feed.lake.get(_place(feed, change)))
    except FileNotFoundError:
        there = computed(feed.case, feed.lake)
        saw = seen(feed.case, feed.name, change.since, change.partition, there)
        looked = Affected(saw["features"], saw["label"], shared=of_shared(saw))
        feed.lake.put(_place(feed, change), json.dumps(asdict(looked)).encode())
        return looked
    listed = {name: tuple(found.get(name, ())) for name in ("features", "labels", "shared")}
    return Affected(**listed, rebuilt=found["rebuilt"])


def _place(feed: Feed, change: Change) -> str:
    return feed.place("affected", f"{change.partition}/{change.name}", ".json")

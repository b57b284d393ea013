"""Build features, and let late rows change what was computed without them only where the spec says so."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from updraft import features
from updraft.ingest import late
from updraft.lake import Lake
from updraft.spec.model import UseCase

_SHOWN = 10


def build(case: UseCase, keys: Sequence[str], lake: Lake) -> dict[str, Any]:
    """Build partitions, but leave as they are those for which rows came late under `late: keep`; then `rebuild`.

    :return: What was built, and the partitions `kept` and `rebuilt`, if there are any.
    :raises FeaturesBlocked: If partitions break the contract; all others are published by then.
    """
    kept = _kept(case, keys, lake)
    built = features.build(case, [key for key in keys if key not in kept], lake)
    told = asdict(built) | {"reports": list(built.reports)}
    return told | ({"kept": kept[:_SHOWN]} if kept else {}) | rebuild(case, lake)


def rebuild(case: UseCase, lake: Lake) -> dict[str, Any]:
    """Compute anew the features and labels for which rows came late under `late: rebuild`; scores stay as they are.

    :return: The partitions, if there are any.
    """
    waiting = [one for one in late.recorded(case, lake) if one.policy == "rebuild" and not one.rebuilt]
    changed = sorted({key for one in waiting for key in one.features})
    labels = sorted({key for one in waiting for key in one.labels})
    shared = sorted({key for one in waiting for key in one.shared})
    compute_again(case, lake, changed, labels, shared)
    late.settle(case, lake, waiting)
    told = {"rebuilt": changed[:_SHOWN], "relabelled": labels[:_SHOWN], "shared": shared[:_SHOWN]}
    return {what: found for what, found in told.items() if found}


def compute_again(
    case: UseCase, lake: Lake, changed: Sequence[str], labels: Sequence[str], shared: Sequence[str]
) -> None:
    """Compute partitions of features and labels again, after those of the shared feature sets that they may read.

    :param shared: As `<name>/<partition>`; use cases that read them keep what they computed.
    """
    for name in sorted({place.partition("/")[0] for place in shared}):
        keys = [place.partition("/")[2] for place in shared if place.startswith(f"{name}/")]
        features.build_shared(name, keys, case.folder.parent, lake)
    if changed:
        features.build(case, changed, lake)
    if labels:
        features.build_labels(case, labels, lake)


def _kept(case: UseCase, keys: Sequence[str], lake: Lake) -> list[str]:
    """Partitions that stay as computed; a new definition computes them anew, with all that is known by now."""
    listed = {key for one in late.recorded(case, lake) if one.policy == "keep" for key in one.features}
    mine = sorted(listed & set(keys))
    outdated = features.stale(case, mine, lake) if mine else []
    return [key for key in mine if key not in outdated]

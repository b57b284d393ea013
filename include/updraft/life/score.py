"""Score partitions, after their features were held against what the champion was trained on; say who stood in."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from updraft import features, score
from updraft.errors import FeaturesSkewed, ModelRejected
from updraft.lake import Lake
from updraft.life.incidents import close, open_incident, unclosed
from updraft.life.train import profile_key
from updraft.monitor import reference
from updraft.monitor.incident import Incident
from updraft.monitor.skew import Skewed, skew
from updraft.score import Scored
from updraft.spec.model import UseCase

_SHOWN = 10


def partitions(
    case: UseCase,
    keys: Sequence[str],
    lake: Lake,
    *,
    champion: str,
    rescore: bool = False,
    who: str = "unnamed",
    code_version: str = "unversioned",
) -> tuple[Scored, dict[str, Any]]:
    """Score partitions as `score.partitions`; say with it, in a small JSON value, where their features are skewed.

    A champion that cannot score and is stood in for is an incident, which is over when it scores again.

    :raises FeaturesSkewed: If they are, and the spec says that this blocks; then nothing is scored.
    """
    done = set() if rescore else set(lake.partitions(score.table(case)))
    told = held(case, [key for key in keys if key not in done], lake, champion)
    by = {"who": who, "code_version": code_version}
    scored = score.partitions(case, keys, lake, champion=champion, rescore=rescore, **by)
    _settle(case, scored, keys[-1], lake, champion, who)
    return scored, told


def _settle(case: UseCase, scored: Scored, key: str, lake: Lake, champion: str, who: str) -> None:
    if scored.fallback:
        if why := scored.because or score.unusable(case, champion, lake):
            found = Incident("fallback", champion, key, True, why)
            open_incident(case, found, key, lake, who=who)
        return
    for record in [] if scored.kept else unclosed(case, lake):
        if (record.facts["kind"], record.model) == ("fallback", champion):
            close(case, lake, record, why=f"{champion[:12]} scores again from {key} on", who=who, partition=key)


def held(case: UseCase, keys: Sequence[str], lake: Lake, champion: str) -> dict[str, Any]:
    """Hold the features of partitions against the champion's training rows, and keep what was found.

    :return: Looks and how many found skew, with the largest ten, or the reason why nothing is known.
    """
    try:
        profile = reference.from_bytes(lake.get(profile_key(case, champion)))
    except (FileNotFoundError, ModelRejected) as unknown:
        why = f"the reference of model {champion[:12]} is gone or not readable"
        if case.skew.severity == "block":
            raise FeaturesSkewed(f"{case.name}: {why}.", next_step="train again, or let skew only warn.") from unknown
        return {"unknown": why}
    found = {key: skew(profile, rows, case) for key, rows in _frames(case, keys, lake)}
    for key, looks in found.items():
        kept = {"model": champion, "looks": [_plain(look) for look in looks]}
        lake.put(f"skew/{case.name}/{key}.json", json.dumps(kept, allow_nan=False, sort_keys=True).encode())
    return _told(case, found)


def _frames(case: UseCase, keys: Sequence[str], lake: Lake) -> Iterable[tuple[str, Any]]:
    for key in keys:
        rows = lake.read(features.table(case), [key], list(case.features))
        if rows is not None and len(rows):
            yield key, rows.to_pandas()


def _plain(look: Skewed) -> dict[str, Any]:
    """JSON has no `nan`: what is undefined is left out."""
    return {name: value for name, value in asdict(look).items() if value == value}


def _told(case: UseCase, found: dict[str, list[Skewed]]) -> dict[str, Any]:
    looks = [(key, look) for key, own in found.items() for look in own]
    skewed = [(key, look) for key, look in looks if look.status == "skewed"]
    largest = sorted(skewed, key=lambda one: (one[1].base - one[1].share, one[0], one[1].feature))[:_SHOWN]
    named = [f"{key}: {look.feature}, {look.reason}" for key, look in largest]
    if named and case.skew.severity == "block":
        raise FeaturesSkewed(
            f"The features of {case.name} are not what its champion was trained on: {'; '.join(named)}.",
            next_step="mend the feed or the query and build the features again, or train on what is true now.",
        )
    unknown = sum(look.status == "unknown" for _, look in looks)
    return {"looks": len(looks), "skewed": len(skewed), "unknown": unknown, "largest": named}

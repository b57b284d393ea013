"""Which features look as if their feed was broken: bad data, which is never to be learnt from."""

import math
from collections.abc import Sequence

from updraft.monitor.feed import FEWEST_ROWS, Column, Usual, by_partition, signs
from updraft.monitor.table import Measurement
from updraft.monitor.window import Window


def measure(window: Window) -> list[Measurement]:
    """Partitions of the window in which a feature looks broken, and why.

    Every partition of the window is looked at, not the newest alone: as long as a broken one is pooled into the look,
    what has drifted in it may be that fault.
    """
    if "feed" not in window.memo:
        window.memo["feed"] = _looked(window)
    found: list[Measurement] = window.memo["feed"]
    return found


def _looked(window: Window) -> list[Measurement]:
    if "partition" not in window.features:
        return []
    names = [n for n, cells in window.profile.features.items() if _comparable(window, n, cells.kind)]
    keys, columns = by_partition(window.features, names)
    return [_measured(window, name, keys, parts) for name, parts in columns.items()]


def broken(window: Window) -> set[str]:
    """Features whose feed looks broken somewhere in the window: what they show says nothing about the world."""
    return {found.subject for found in measure(window) if found.status == "drifted"}


def _comparable(window: Window, name: str, kind: str) -> bool:
    return name in window.case.features and name in window.features and window.case.features[name].type == kind


def _measured(window: Window, name: str, keys: list[str], parts: Sequence[Column]) -> Measurement:
    where = (window.partition, "broken_feed", name)
    judged = sum(len(values) >= FEWEST_ROWS for values in parts)
    if not judged:
        why = f"no partition of the window has {FEWEST_ROWS} rows"
        return Measurement(*where, math.nan, 0, "unknown", why, limit=1)
    found = {key: why for key, why in zip(keys, _faults(window, name, parts), strict=True) if why}
    said = "; ".join(f"{key}: {why}" for key, why in list(found.items())[-3:])
    return Measurement(*where, len(found), judged, "drifted" if found else "ok", said, limit=1)


def _faults(window: Window, name: str, parts: Sequence[Column]) -> list[str]:
    """What is wrong with each partition; empty where nothing is."""
    return signs(Usual.of(window.profile, name), parts, was_broken=_was_broken(window, name))


def _was_broken(window: Window, name: str) -> bool:
    """Whether the newest look before this one called the feature broken."""
    if "was_broken" not in window.memo:
        before = max((m.partition for m in window.earlier if m.partition < window.partition), default=None)
        of = [m for m in window.earlier if m.metric == "broken_feed" and m.partition == before]
        window.memo["was_broken"] = {m.subject for m in of if m.status == "drifted"}
    return name in window.memo["was_broken"]

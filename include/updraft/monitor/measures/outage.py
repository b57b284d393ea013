"""Whether labels have stopped arriving: an alarm of its own, for nothing can be learnt from silence."""

import math
from statistics import median

from updraft.monitor.table import Measurement
from updraft.monitor.window import Window

# A partition counts as silent, too, when it has less than this share of the labels that its neighbours have.
FAR_FEWER = 0.5


def measure(window: Window) -> list[Measurement]:
    """Count the newest partitions that should have labels by now and have none; what is not mature is not counted."""
    share = dict(sorted({**dict.fromkeys(window.waiting, 0.0), **_share(window)}.items()))
    what = (window.partition, "label_outage", "all")
    if not share:
        return [Measurement(*what, math.nan, 0, "unknown", "no scored partition is mature yet", limit=1.0)]
    usual = median([one for one in share.values() if one] or [0.0])
    heard = [key for key, one in share.items() if one and one >= FAR_FEWER * usual]
    silent = [key for key in share if not heard or key > heard[-1]]
    if not silent:
        return [Measurement(*what, 0.0, len(share), "ok", f"labels arrived up to {heard[-1]}", limit=1.0)]
    first = silent[0]
    why = window.waiting.get(first) or f"{share[first]:.0%} of its rows have a label, {usual:.0%} elsewhere"
    reason = f"performance is unknown since {first} ({len(silent)} partitions): {why}"
    return [Measurement(*what, float(len(silent)), len(share), "drifted", reason, limit=1.0)]


def _share(window: Window) -> dict[str, float]:
    if window.labels is not None:
        return dict(window.labels)
    there = window.matured[window.case.label.column].notna().groupby(window.matured["partition"]).mean()
    return {str(key): float(one) for key, one in there.items()}

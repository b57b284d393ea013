"""How far apart the declared groups are in how often they are acted on, on what came true."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from updraft.evidence import fairness
from updraft.evidence.fairness import COUNTED, RATES, Shares
from updraft.evidence.slices import MISSING, Parted, parted
from updraft.monitor.table import Measurement, Status
from updraft.monitor.truth import Truth, truth
from updraft.monitor.window import Window


def measure(window: Window) -> Iterator[Measurement]:
    """Gap of every share that `gates.fairness` limits, by feature; of a group with too few rows it is unknown."""
    asked = window.case.gates.fairness
    if asked.empty:
        return
    came = truth(window)
    limits = {"demographic_parity": asked.demographic_parity, "equalized_odds": asked.equalized_odds}
    rates = [(rate, limit) for name, limit in limits.items() if limit is not None for rate in RATES[name]]
    for feature in (*asked.by, *asked.cut):
        groups = parted(came.rows, asked, feature) if came.n else Parted((), np.array([], np.intp))
        for rate, limit in rates:
            yield _gap(window, came, f"{rate} by {feature}", groups, rate, limit)


def _gap(window: Window, came: Truth, subject: str, groups: Parted, rate: str, limit: float) -> Measurement:
    at, case = (window.partition, "fairness_gap", subject), window.case
    if came.blind or len(set(groups.names) - {MISSING}) < 2:
        why = came.blind or "there is one group only, a gap takes two"
        return Measurement(*at, math.nan, came.n, "unknown", why, limit=limit)
    y = came.came.astype(float)
    counted = fairness.shares(rate, y, came.acted, groups, came.blocks)
    if few := _too_few(counted, rate, case.gates.fairness.min_rows):
        return Measurement(*at, math.nan, came.n, "unknown", few, limit=limit)
    value = fairness.apart(rate, y, came.acted, groups)
    found = fairness.gap(counted, confidence=case.gates.confidence, seed=case.model.seed)
    bounds: dict[str, Any] = {"low": found.low, "high": found.high, "limit": limit}
    reason = f"{found.highest} against {found.lowest}: {value:.3g}, between {found.low:.3g} and {found.high:.3g}"
    status: Status = "ok" if value <= limit else "drifted" if found.low > limit else "unknown"
    return Measurement(*at, value, int(counted.among.sum()), status, reason, **bounds)


def _too_few(counted: Shares, rate: str, asked: int) -> str:
    rows = counted.among.sum(axis=0)
    smallest = int(rows.argmin())
    if rows[smallest] >= asked:
        return ""
    return f"{rows[smallest]:.0f} {COUNTED[rate]} of {counted.groups[smallest]}, {asked} are needed"

"""How far each feature moved from what the champion was trained on."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from updraft.monitor.drift import ALPHA, Drift, Status, drift, judge
from updraft.monitor.histogram import SMALLEST_LEVEL, Histogram
from updraft.monitor.reference import Profile
from updraft.monitor.table import Measurement
from updraft.monitor.window import Window
from updraft.spec.model import UseCase

if TYPE_CHECKING:
    from pandas import DataFrame, Series


def measure(window: Window) -> list[Measurement]:
    """Drift of every feature, of its missing values, and the share of features that drifted."""
    features = _features(window.case, window.partition, window.profile, window.features)
    return [*features, _drifted_share(window.case, window.partition, features)]


def _features(case: UseCase, partition: str, profile: Profile, frame: "DataFrame") -> list[Measurement]:
    found = []
    for name, reference in profile.features.items():
        if why := _not_comparable(case, name, reference, frame):
            found.append(Measurement(partition, "feature_psi", name, math.nan, len(frame), "unknown", why))
            continue
        how: dict[str, Any] = {"effect": case.monitor.psi, "min_rows": case.monitor.min_rows, "alpha": alpha(profile)}
        moved = drift(reference, frame[name].to_numpy(), **how)
        found.append(psi(partition, "feature_psi", name, moved))
        found.append(psi(partition, "missing_psi", name, _missing(reference, frame[name], **how)))
    return found


def _not_comparable(case: UseCase, name: str, reference: Histogram, frame: "DataFrame") -> str:
    if name not in case.features or name not in frame:
        return "the champion learnt from this feature, but the use case has it no more"
    kind = case.features[name].type
    return "" if kind == reference.kind else f"was a {reference.kind} when the champion learnt, is a {kind} now"


def alpha(profile: Profile) -> float:
    """Chance of a false alarm of one look at one column, when nothing moved."""
    return ALPHA / (len(profile.features) + 1)


def _missing(reference: Histogram, current: "Series[Any]", **how: Any) -> Drift:
    """Judge whether more values are missing than before; that there are fewer is no fault."""
    now = reference.count(current.to_numpy())
    # A share too small for a cell of its own counts as that of the smallest: one missing value must not be news.
    before = max(reference.counts[-1], math.ceil(SMALLEST_LEVEL * reference.rows))
    found = judge(np.array([reference.rows - before, before]), np.array([now[:-1].sum(), now[-1]]), **how)
    shares = f"{reference.counts[-1] / max(reference.rows, 1):.1%} -> {now[-1] / max(now.sum(), 1):.1%} missing"
    rose = now[-1] * reference.rows > before * now.sum()
    if found.status == "drifted" and not rose:
        return replace(found, status="ok", reason=shares)
    return replace(found, reason=f"{shares}; {found.reason}")


def psi(partition: str, metric: str, subject: str, d: Drift) -> Measurement:
    """One movement as a row of the table."""
    return Measurement(partition, metric, subject, d.value, d.m, d.status, d.reason, limit=d.limit)


def _drifted_share(case: UseCase, partition: str, features: Sequence[Measurement]) -> Measurement:
    limit, metric = case.monitor.drifted_share, "drifted_share"
    psi = [m for m in features if m.metric == "feature_psi"]
    judged = [m for m in psi if m.status != "unknown"]
    if not judged:
        why = f"no feature could be judged: {psi[0].reason}" if psi else "the champion has no features"
        return Measurement(partition, metric, "features", math.nan, 0, "unknown", why, limit=limit)
    moved = sorted((m for m in judged if m.status == "drifted"), key=lambda m: -m.value)
    share = len(moved) / len(judged)
    named = first_ten(f"{m.subject} {m.value:.2f} (limit {m.limit:.2f})" for m in moved)
    unknown = f", {len(psi) - len(judged)} unknown" if len(psi) > len(judged) else ""
    reason = f"{len(moved)} of {len(judged)} features drifted{unknown}{': ' if moved else ''}{named}"
    status: Status = "drifted" if moved and share >= limit else "ok"
    return Measurement(partition, metric, "features", share, len(judged), status, reason, limit=limit)


def first_ten(named: Iterable[str]) -> str:
    """Name the first ten, and how many more there are."""
    every = list(named)
    return ", ".join(every[:10]) + (f" and {len(every) - 10} more" if len(every) > 10 else "")

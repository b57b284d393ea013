"""One look at a partition: what was measured, and whether it is alarming."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from updraft.monitor.drift import ALPHA, Drift, Status, drift, judge
from updraft.monitor.histogram import SMALLEST_LEVEL, Histogram
from updraft.monitor.performance import WATCHED, Performance, performance
from updraft.monitor.reference import Profile
from updraft.monitor.table import Measurement
from updraft.spec.model import UseCase

if TYPE_CHECKING:
    from pandas import DataFrame, Series

AlarmKind = Literal["feature_drift", "prediction_drift", "performance"]

# The measurements that carry an alarm each, worst first; which one of performance depends on the kind of problem.
HEADLINES: Mapping[AlarmKind, tuple[str, ...]] = {
    "performance": tuple(watched[0] for watched in WATCHED.values()),
    "prediction_drift": ("score_psi",),
    "feature_drift": ("drifted_share",),
}


@dataclass(frozen=True)
class Alarm:
    """What was alarming in one partition about one champion.

    :param champion: Digest of the model.
    :param reasons: Reason per kind of alarm.
    """

    partition: str
    champion: str
    reasons: Mapping[AlarmKind, str]


def measure(
    case: UseCase,
    partition: str,
    *,
    champion: str,
    profile: Profile,
    window_frame: "DataFrame",
    scores_frame: "DataFrame",
    matured: "DataFrame",
    waiting: Mapping[str, str],
    holdout: float,
) -> list[Measurement]:
    """Measure one partition: how far features and scores moved, and how well the champion did.

    :param champion: Digest of the model; scores of other models are left out.
    :param profile: The champion's reference.
    :param window_frame: Feature frame of the last `monitor.window` scored partitions.
    :param scores_frame: Rows of the scores table of the same partitions.
    :param matured: Rows of the scores table of the last `monitor.window` mature partitions, with the label column.
    :param waiting: Mature partitions among these whose labels have not arrived, each with the reason.
    :param holdout: The champion's AUC on its holdout, or what is watched in its place.
    """
    own = scores_frame[scores_frame["model"] == champion]
    done = performance(case, matured[matured["model"] == champion], waiting, holdout=holdout)
    features = _features(case, partition, profile, window_frame)
    return [
        *features,
        _drifted_share(case, partition, features),
        *_scores(case, partition, champion, profile, own),
        *_performance(partition, done),
    ]


def alarm(measurements: Sequence[Measurement]) -> Alarm | None:
    """Collect what is alarming among the measurements of one partition; `None` when nothing is."""
    headline = {m.metric: m for m in measurements}
    found = {kind: [headline[m] for m in metrics if m in headline] for kind, metrics in HEADLINES.items()}
    reasons = {kind: judged[0].reason for kind, judged in found.items() if judged[0].status == "drifted"}
    return Alarm(measurements[0].partition, headline["scored"].subject, reasons) if reasons else None


def feed_fault(measurements: Sequence[Measurement]) -> str | None:
    """Say which features went missing: a broken feed, which no retraining mends; `None` when none did."""
    gone = [m for m in measurements if m.metric == "missing_psi" and m.status == "drifted"]
    return f"values went missing: {_first_ten(f'{m.subject} ({m.reason})' for m in gone)}" if gone else None


def _features(case: UseCase, partition: str, profile: Profile, frame: "DataFrame") -> list[Measurement]:
    found = []
    for name, reference in profile.features.items():
        if why := _not_comparable(case, name, reference, frame):
            found.append(Measurement(partition, "feature_psi", name, math.nan, len(frame), "unknown", why))
            continue
        how: dict[str, Any] = {"effect": case.monitor.psi, "min_rows": case.monitor.min_rows, "alpha": _alpha(profile)}
        moved = drift(reference, frame[name].to_numpy(), **how)
        found.append(_psi(partition, "feature_psi", name, moved))
        found.append(_psi(partition, "missing_psi", name, _missing(reference, frame[name], **how)))
    return found


def _not_comparable(case: UseCase, name: str, reference: Histogram, frame: "DataFrame") -> str:
    if name not in case.features or name not in frame:
        return "the champion learnt from this feature, but the use case has it no more"
    kind = case.features[name].type
    return "" if kind == reference.kind else f"was a {reference.kind} when the champion learnt, is a {kind} now"


def _alpha(profile: Profile) -> float:
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


def _psi(partition: str, metric: str, subject: str, d: Drift) -> Measurement:
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
    named = _first_ten(f"{m.subject} {m.value:.2f} (limit {m.limit:.2f})" for m in moved)
    unknown = f", {len(psi) - len(judged)} unknown" if len(psi) > len(judged) else ""
    reason = f"{len(moved)} of {len(judged)} features drifted{unknown}{': ' if moved else ''}{named}"
    status: Status = "drifted" if moved and share >= limit else "ok"
    return Measurement(partition, metric, "features", share, len(judged), status, reason, limit=limit)


def _scores(case: UseCase, partition: str, champion: str, profile: Profile, scores: "DataFrame") -> list[Measurement]:
    given = scores["predicted" if profile.scores.kind == "category" else "score"].dropna().to_numpy()
    moved = drift(profile.scores, given, effect=case.monitor.psi, min_rows=case.monitor.min_rows, alpha=_alpha(profile))
    refused = len(scores) - len(given)
    return [
        _psi(partition, "score_psi", "scores", moved),
        Measurement(partition, "scored", champion, len(given), len(scores), "info"),
        Measurement(partition, "refused", champion, refused, len(scores), "info"),
    ]


def _performance(partition: str, done: Performance) -> list[Measurement]:
    found = []
    for name, estimate in done.estimates.items():
        judged = name in HEADLINES["performance"]
        status = done.status if judged else "unknown" if math.isnan(estimate.value) else "info"
        reason, limit = (done.reason, done.limit) if judged else (estimate.why, math.nan)
        bounds = {"low": estimate.low, "high": estimate.high, "limit": limit}
        found.append(Measurement(partition, name, "all", estimate.value, done.n, status, reason, **bounds))
    labels = {"labelled": done.n, "positive": done.positives, "undefined": done.undefined, "missing": done.missing}
    rows = done.n + done.undefined + done.missing
    return found + [Measurement(partition, "labels", kind, count, rows, "info") for kind, count in labels.items()]


def _first_ten(named: Iterable[str]) -> str:
    every = list(named)
    return ", ".join(every[:10]) + (f" and {len(every) - 10} more" if len(every) > 10 else "")

"""How well the champion did on partitions whose labels have matured; silence is never read as calm."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from updraft.evidence.interval import Interval, interval
from updraft.evidence.metrics import METRICS
from updraft.monitor.drift import Status
from updraft.spec.model import UseCase

if TYPE_CHECKING:
    from pandas import DataFrame

WATCHED = ("auc", "brier", "log_loss")


@dataclass(frozen=True)
class Performance:
    """What came true.

    :param estimates: AUC, Brier score and log loss, each with one-sided bounds.
    :param n: Rows with a score and a label; the estimates rest on these.
    :param positives: Rows among them whose label is 1.
    :param undefined: Rows whose label is undefined by definition.
    :param missing: Rows of mature partitions whose labels have not arrived.
    :param limit: AUC from which, downwards, the champion counts as drifted.
    """

    estimates: Mapping[str, Interval]
    n: int
    positives: int
    undefined: int
    missing: int
    limit: float
    status: Status
    reason: str


def performance(case: UseCase, matured: "DataFrame", waiting: Mapping[str, str], *, holdout_auc: float) -> Performance:
    """Measure the champion on pooled partitions that should have labels by now.

    Drifted means that the AUC lies `monitor.max_drop` or more below the holdout's, and further than chance explains
    when whole partitions come and go; a drop that chance explains is unknown, not ok. Unknown, whatever the numbers,
    when the newest labels have not arrived or there are too few. The holdout's AUC is taken as exact.

    :param matured: One row per scored row: `partition`, `score` (missing when refused) and the label column (0, 1 or
        missing).
    :param waiting: Mature partitions whose labels have not arrived, each with the reason.
    """
    label = case.label.column
    silent = _silent(matured, label, waiting)
    absent = matured["partition"].isin(list(silent))
    rows = matured[~absent & matured[label].notna() & matured["score"].notna()]
    estimates = _estimates(case, rows)
    n, positives = len(rows), int(rows[label].sum())
    limit = holdout_auc - max(case.monitor.max_drop, _reach(estimates["auc"]))
    blind = _silence(matured, silent) or _too_few(case, n, positives) or estimates["auc"].why
    judged: tuple[Status, str] = ("unknown", blind) if blind else _judge(case, estimates["auc"], holdout_auc, n)
    undefined = int((matured[label].isna() & ~absent).sum())
    return Performance(estimates, n, positives, undefined, int(absent.sum()), limit, *judged)


def _estimates(case: UseCase, rows: "DataFrame") -> dict[str, Interval]:
    y, p = rows[case.label.column].to_numpy(float), rows["score"].to_numpy(float)
    confidence, seed, blocks = case.gates.confidence, case.model.seed, rows["partition"].to_numpy()
    return {name: interval(METRICS[name], y, p, blocks, confidence=confidence, seed=seed) for name in WATCHED}


def _silent(matured: "DataFrame", label: str, waiting: Mapping[str, str]) -> dict[str, str]:
    """Partitions without a single label, in order, each with the reason."""
    labelled = matured.groupby("partition")[label].count()
    empty = {str(key): "no row has a label" for key in labelled.index[labelled == 0]}
    return dict(sorted((empty | dict(waiting)).items()))


def _silence(matured: "DataFrame", silent: Mapping[str, str]) -> str:
    """Say since when no labels arrive; empty when the newest partition has some."""
    heard = max(set(matured["partition"]) - set(silent), default="")
    if since := [key for key in silent if key > heard]:
        return f"no labels since {since[0]} ({len(since)} partitions): {silent[since[0]]}"
    return "" if heard else "no partition that this champion scored has mature labels yet"


def _too_few(case: UseCase, n: int, positives: int) -> str:
    rarer = min(positives, n - positives)
    if n < case.monitor.min_rows:
        return f"{n} labelled rows, {case.monitor.min_rows} are needed"
    if rarer < case.model.min_positives:
        return f"{rarer} labelled rows of the rarer class, {case.model.min_positives} are needed"
    return ""


def _judge(case: UseCase, auc: Interval, holdout_auc: float, n: int) -> tuple[Status, str]:
    largest, reach, drop = case.monitor.max_drop, _reach(auc), holdout_auc - auc.value
    seen = f"AUC {auc.value:.3f} ({auc.low:.3f} to {auc.high:.3f}, {n} rows), holdout {holdout_auc:.3f}"
    if math.isnan(drop + reach):
        return "unknown", f"{seen}: one of these is undefined"
    if drop < largest:
        return "ok", seen
    if drop < reach:
        return "unknown", f"{seen}: {drop:.3f} lower, but chance alone moves it by {reach:.3f}"
    return "drifted", f"{seen}: {drop:.3f} lower"


def _reach(estimate: Interval) -> float:
    # Bounds are cut to the metric's range, so the longer side is the true reach.
    return max(estimate.value - estimate.low, estimate.high - estimate.value)

"""How well the champion did on partitions whose labels have matured; silence is never read as calm."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from updraft.evidence.interval import Interval
from updraft.evidence.metric import Codes
from updraft.evidence.metrics import METRICS
from updraft.model.labels import came_true, rarest
from updraft.monitor.drift import Status
from updraft.monitor.watched import Watched
from updraft.monitor.weighing import AS_THEY_ARE, Weighing, weighed
from updraft.spec.model import UseCase
from updraft.spec.prediction import ProblemKind

if TYPE_CHECKING:
    from pandas import DataFrame

# Metrics by kind of problem; the first is judged against the holdout.
WATCHED: Mapping[ProblemKind, tuple[str, ...]] = {
    "binary": ("auc", "brier", "log_loss"),
    "multiclass": ("macro_auc", "accuracy", "log_loss"),
    "regression": ("rmse", "mae", "r2"),
}
JUDGED = tuple(names[0] for names in WATCHED.values())


@dataclass(frozen=True)
class Performance:
    """What came true.

    :param estimates: What is watched of this kind of problem, each with one-sided bounds.
    :param n: Rows with a score and a label; the estimates rest on these.
    :param positives: Rows among them where acting was right, such as those whose label is 1.
    :param undefined: Rows whose label is undefined by definition.
    :param missing: Rows of mature partitions whose labels have not arrived.
    :param limit: AUC from which, downwards, the champion counts as drifted; RMSE from which, upwards.
    """

    estimates: Mapping[str, Interval]
    n: int
    positives: int
    undefined: int
    missing: int
    limit: float
    status: Status
    reason: str


def performance(
    case: UseCase,
    matured: "DataFrame",
    waiting: Mapping[str, str],
    *,
    holdout: Interval,
    how: Weighing = AS_THEY_ARE,
) -> Performance:
    """Measure the champion on pooled partitions that should have labels by now.

    Drifted means that the AUC lies `monitor.max_drop` or more below the lower bound of the holdout's (an RMSE: that
    share of it above the upper one), and further from its value than chance explains when whole partitions come and go;
    a drop that chance explains is unknown, not ok. Unknown, whatever the numbers, when the newest labels have not
    arrived or there are too few.

    :param matured: One row per scored row: `partition`, `score` (missing when refused), with several classes
        `probabilities`, and the label column (missing where there is none).
    :param waiting: Mature partitions whose labels have not arrived, each with the reason.
    :param how: On what the arrival of labels depends; the rows that have one are weighed for the others.
    """
    rows, silent = labelled(case, matured, waiting)
    truth = matured[case.label.column]
    absent = matured["partition"].isin(list(silent))
    estimates = _estimates(case, rows, how)
    y = rows[case.label.column].to_numpy(float)
    n, positives = len(rows), int(came_true(case, y).sum())
    name = WATCHED[case.problem.kind][0]
    watched = Watched(name, estimates[name], holdout, case.monitor.max_drop)
    blind = silence(matured, silent) or too_few(case, y) or how.blind or watched.now.why
    status, reason = watched.judge(f"{n} rows{', weighed: ' if how.needed else ''}{how.reason}")
    judged: tuple[Status, str] = ("unknown", blind) if blind else (status, reason)
    undefined = int((truth.isna() & ~absent).sum())
    return Performance(estimates, n, positives, undefined, int(absent.sum()), watched.limit, *judged)


def labelled(case: UseCase, matured: "DataFrame", waiting: Mapping[str, str]) -> tuple["DataFrame", dict[str, str]]:
    """Rows with a score and a label, and the partitions that have no label at all, in order, each with the reason."""
    rows, silent = complete(case, matured), _silent(matured, case.label.column, waiting)
    return rows[~rows["partition"].isin(list(waiting))] if waiting else rows, silent


def complete(case: UseCase, rows: "DataFrame") -> "DataFrame":
    """Rows with a score and a label."""
    return rows[rows[case.label.column].notna() & rows["score"].notna()]


def _estimates(case: UseCase, rows: "DataFrame", how: Weighing) -> dict[str, Interval]:
    y, p, score = rows[case.label.column].to_numpy(float), predicted(case, rows), rows["score"].to_numpy(float)
    confidence, seed, blocks = case.gates.confidence, case.model.seed, numbered(rows)
    return {
        name: weighed(METRICS[name], y, p, score, blocks, how, confidence=confidence, seed=seed)
        for name in WATCHED[case.problem.kind]
    }


def numbered(rows: "DataFrame") -> Codes:
    """Number of the partition of each row, in the order of their keys (n,)."""
    # Sorting thousands of strings anew for every metric would take longer than the metrics.
    return np.asarray(rows["partition"].factorize(sort=True)[0], dtype=np.intp)


def _silent(matured: "DataFrame", label: str, waiting: Mapping[str, str]) -> dict[str, str]:
    """Partitions without a single label, in order, each with the reason."""
    codes, keys = matured["partition"].factorize()
    times = np.bincount(codes[matured[label].notna()], minlength=len(keys))
    empty = {str(key): "no row has a label" for key in keys[times == 0]}
    return dict(sorted((empty | dict(waiting)).items()))


def silence(matured: "DataFrame", silent: Mapping[str, str]) -> str:
    """Say since when no labels arrive; empty when the newest partition has some."""
    heard = max(set(matured["partition"].unique()) - set(silent), default="")
    if since := [key for key in silent if key > heard]:
        return f"no labels since {since[0]} ({len(since)} partitions): {silent[since[0]]}"
    return "" if heard else "no partition that this champion scored has mature labels yet"


def predicted(case: UseCase, rows: "DataFrame") -> NDArray[np.float64]:
    """What a model said of its rows: scores (n,), or the probability of every class (n, k)."""
    if not case.label.classes:
        return rows["score"].to_numpy(float)
    shape, given = (len(rows), len(case.label.classes)), [json.loads(row) for row in rows["probabilities"]]
    return np.array([[row.get(name, np.nan) for name in case.label.classes] for row in given]).reshape(shape)


def too_few(case: UseCase, y: NDArray[np.float64]) -> str:
    """Say what there is too little of to judge a champion by its labels (n,); empty when there is enough."""
    if len(y) < case.monitor.min_rows:
        return f"{len(y)} labelled rows, {case.monitor.min_rows} are needed"
    if case.problem.kind != "regression" and rarest(case, y) < case.model.min_positives:
        return f"{rarest(case, y)} labelled rows of the rarer class, {case.model.min_positives} are needed"
    return ""

"""One look at a partition: what was measured, and whether it is alarming."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from updraft.monitor.measures import discover
from updraft.monitor.measures.features import first_ten
from updraft.monitor.performance import WATCHED
from updraft.monitor.table import Measurement
from updraft.monitor.window import Window

AlarmKind = Literal["feature_drift", "multivariate_drift", "prediction_drift", "performance"]

# The measurements that carry an alarm each, worst first; which one of performance depends on the kind of problem.
HEADLINES: Mapping[AlarmKind, tuple[str, ...]] = {
    "performance": tuple(watched[0] for watched in WATCHED.values()),
    "prediction_drift": ("score_psi",),
    "multivariate_drift": ("multivariate_drift",),
    "feature_drift": ("important_drift",),
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


def measure(window: Window) -> list[Measurement]:
    """Measure one partition in every way there is."""
    return [one for measured in discover().values() for one in measured(window)]


def alarm(measurements: Sequence[Measurement]) -> Alarm | None:
    """Collect what is alarming among the measurements of one partition; `None` when nothing is."""
    headline = {m.metric: m for m in measurements}
    found = {kind: [headline[m] for m in metrics if m in headline] for kind, metrics in HEADLINES.items()}
    reasons = {kind: judged[0].reason for kind, judged in found.items() if judged[0].status == "drifted"}
    return Alarm(measurements[0].partition, headline["scored"].subject, reasons) if reasons else None


def feed_fault(measurements: Sequence[Measurement]) -> str | None:
    """Say which features went missing: a broken feed, which no retraining mends; `None` when none did."""
    gone = [m for m in measurements if m.metric == "missing_psi" and m.status == "drifted"]
    return f"values went missing: {first_ten(f'{m.subject} ({m.reason})' for m in gone)}" if gone else None

"""One look at a partition: what was measured, and whether it is alarming."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import pyarrow.compute as pc

from updraft.monitor.measures import discover
from updraft.monitor.measures.features import first_ten
from updraft.monitor.performance import JUDGED
from updraft.monitor.table import Measurement
from updraft.monitor.window import Window

AlarmKind = Literal[
    "performance", "estimated_performance", "calibration", "prediction_drift", "multivariate_drift", "feature_drift",
    "label_outage",
]  # fmt: skip

# The measurements that carry an alarm each, worst first; which ones there are depends on the use case.
HEADLINES: Mapping[AlarmKind, tuple[str, ...]] = {
    "performance": (*JUDGED, *(f"slice_{name}" for name in JUDGED)),
    "estimated_performance": tuple(f"estimated_{name}" for name in JUDGED),
    "calibration": ("calibration_gap", "calibration_slope"),
    "prediction_drift": ("score_distance", "decision_rate"),
    "multivariate_drift": ("multivariate_drift",),
    "feature_drift": ("important_drift",),
    "label_outage": ("label_outage",),
}
# Rows of the table that `alarm` looks at, which are few among those there are.
TELLING = (pc.field("status") == "drifted") | (pc.field("metric") == "scored")


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
    alarming = {m.metric: m.reason for m in reversed(measurements) if m.status == "drifted"}
    found = {kind: [alarming[name] for name in names if name in alarming] for kind, names in HEADLINES.items()}
    reasons = {kind: told[0] for kind, told in found.items() if told}
    champion = next(m.subject for m in measurements if m.metric == "scored")
    return Alarm(measurements[0].partition, champion, reasons) if reasons else None


def feed_fault(measurements: Sequence[Measurement]) -> str | None:
    """Say which features look like a fault of the feed, which no retraining mends; `None` when none does."""
    broken = [m for m in measurements if m.metric == "broken_feed" and m.status == "drifted"]
    gone = [m for m in measurements if m.metric == "missing_psi" and m.status == "drifted"]
    told = [
        f"{what}: {first_ten(f'{m.subject} ({m.reason})' for m in found)}"
        for what, found in (("the feed is broken", broken), ("values went missing", gone))
        if found
    ]
    return "; ".join(told) or None

"""Many looks at one partition, judged together: which are large enough to matter and too large to be chance?"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from updraft.monitor.drift import SHARED, Status
from updraft.monitor.table import Measurement


@dataclass(frozen=True)
class Look:
    """One number that was looked at.

    :param value: What was seen, as an effect size.
    :param effect: From where on it matters, however sure it is.
    :param chance: Chance of seeing as much when nothing moved.
    :param critical: The value whose chance would be the one given.
    :param n: Rows it rests on.
    :param name: What `value` is called in the reason.
    :param remark: What else the reason says.
    """

    metric: str
    subject: str
    value: float
    effect: float
    chance: float
    critical: Callable[[float], float]
    n: int
    name: str
    remark: str = ""


def judged(partition: str, looks: Sequence[Look]) -> list[Measurement]:
    """Call drifted what matters and is significant when the false discovery rate of all looks is held at `SHARED`.

    When nothing moved, the chance that any look of the partition is called drifted is at most `SHARED`. The step-up
    procedure holds under independence and positive dependence (Benjamini & Hochberg 1995; Benjamini & Yekutieli 2001):
    features that move together, as weather does, are the latter. A limit is where a look's value begins to be called
    drifted, so it falls with the rows, and is never below `effect`.
    """
    from scipy.stats import false_discovery_control

    if not looks:
        return []
    found = false_discovery_control([look.chance for look in looks], method="bh") <= SHARED
    level = SHARED * max(int(np.count_nonzero(found)), 1) / len(looks)
    return [_judged(partition, look, bool(sure), level) for look, sure in zip(looks, found, strict=True)]


def _judged(partition: str, look: Look, sure: bool, level: float) -> Measurement:
    limit = max(look.effect, look.critical(level))
    moved = sure and look.value >= look.effect
    reason = f"{look.name} {look.value:.3g} {'reaches' if moved else 'is below'} its limit {limit:.3g}{look.remark}"
    status: Status = "drifted" if moved else "ok"
    return Measurement(partition, look.metric, look.subject, look.value, look.n, status, reason, limit=limit)


def scaled(value: float, distance: float, power: float = 1.0) -> Callable[[float], float]:
    """Translate a critical chi-square distance into the unit of `value`, which grows as its `power`.

    :param distance: The chi-square distance that was seen along with `value`.
    """
    if not distance > 0 or math.isnan(value):
        return lambda critical: critical**power
    return lambda critical: float(value * (critical / distance) ** power)

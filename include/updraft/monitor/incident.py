"""Alarms of k among the last n partitions make an incident: the one thing that asks for an action.

The windows of neighbouring looks share most of their partitions, so k alarms are far from k independent witnesses:
k-of-n keeps one odd look from starting a training, and does not make the looks themselves any surer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from updraft.monitor.watch import HEADLINES, Alarm, AlarmKind
from updraft.spec.model import UseCase

# Besides what is measured: data that is broken, and a champion that cannot score and is stood in for.
IncidentKind = AlarmKind | Literal["broken_feed", "fallback"]
_OUTAGE: AlarmKind = "label_outage"


@dataclass(frozen=True)
class Incident:
    """Something about one champion that lasts.

    :param champion: Digest of the model; empty when there is none.
    :param opened: Partition whose alarm made it an incident; it has lasted since.
    :param is_new: Whether one partition earlier there was none, or one of another kind: announce it now.
    """

    kind: IncidentKind
    champion: str
    opened: str
    is_new: bool
    reason: str

    @property
    def identity(self) -> str:
        """What makes two incidents the same one."""
        return f"{self.kind}:{self.champion}"


def incident(history: Sequence[Alarm | None], case: UseCase, *, champion: str) -> Incident | None:
    """Find the worst kind of alarm that was raised in `monitor.alarms` of the last `monitor.of` partitions.

    It is the same answer for as long as it lasts, and `None` once too few alarms are left. Alarms about other models
    do not count.

    :param history: Alarm per partition, or `None` where nothing was alarming; oldest first. At least
        `monitor.of + 1` of them, or a lasting incident seems new; more, to learn when a long one opened.
    """
    return next(iter(lasting(history, case, champion=champion)), None)


def lasting(history: Sequence[Alarm | None], case: UseCase, *, champion: str) -> list[Incident]:
    """What lasts: the worst that happened to the model, and, apart from it, that labels stopped arriving."""
    before = _kinds(history[:-1], case, champion)
    return [
        _incident(kind, _raised(history, kind, champion), case, kind not in before)
        for kind in _kinds(history, case, champion)
    ]


def lasts(history: Sequence[Alarm | None], kind: str, case: UseCase, *, champion: str) -> bool:
    """Whether an incident of a kind still has enough alarms, however much worse another one is."""
    return any(name == kind and _lasts(_raised(history, name, champion), case) for name in HEADLINES)


def _kinds(history: Sequence[Alarm | None], case: UseCase, champion: str) -> list[AlarmKind]:
    found = [kind for kind in HEADLINES if _lasts(_raised(history, kind, champion), case)]
    return [kind for kind in found if kind in (found[0], _OUTAGE)]


def _raised(history: Sequence[Alarm | None], kind: AlarmKind, champion: str) -> list[Alarm | None]:
    return [a if a and a.champion == champion and kind in a.reasons else None for a in history]


def _lasts(raised: Sequence[Alarm | None], case: UseCase) -> bool:
    return sum(a is not None for a in raised[-case.monitor.of :]) >= case.monitor.alarms


def _incident(kind: AlarmKind, raised: Sequence[Alarm | None], case: UseCase, is_new: bool) -> Incident:
    first = len(raised)
    while _lasts(raised[: first - 1], case):
        first -= 1
    recent = raised[-case.monitor.of :]
    alarms = [a for a in recent if a is not None]
    named = ", ".join(a.partition for a in alarms[-10:])
    reason = (
        f"{kind} in {len(alarms)} of the last {len(recent)} partitions ({named}); "
        f"in {alarms[-1].partition}: {alarms[-1].reasons[kind]}"
    )
    # Only a new alarm can raise the count, so the newest of these opened it.
    opener = next(a for a in reversed(raised[:first]) if a is not None)
    return Incident(kind, alarms[-1].champion, opener.partition, is_new, reason)

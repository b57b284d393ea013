"""Alarms of k among the last n partitions make an incident: the one thing that asks for an action.

The windows of neighbouring looks share most of their partitions, so k alarms are far from k independent witnesses:
k-of-n keeps one odd look from starting a training, and does not make the looks themselves any surer.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from updraft.monitor.watch import HEADLINES, Alarm, AlarmKind
from updraft.spec.model import UseCase


@dataclass(frozen=True)
class Incident:
    """A movement of one champion that lasts.

    :param champion: Digest of the model.
    :param opened: Partition whose alarm made it an incident; it has lasted since.
    :param is_new: Whether one partition earlier there was none, or one of another kind: announce it now.
    """

    kind: AlarmKind
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
    kind = _worst(history, case, champion)
    if kind is None:
        return None
    is_new = kind != _worst(history[:-1], case, champion)
    return _incident(kind, _raised(history, kind, champion), case, is_new)


def _worst(history: Sequence[Alarm | None], case: UseCase, champion: str) -> AlarmKind | None:
    return next((kind for kind in HEADLINES if _lasts(_raised(history, kind, champion), case)), None)


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

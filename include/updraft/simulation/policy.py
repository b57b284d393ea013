"""When to train: the controller as it is, and what people do without one."""

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from updraft.monitor import drift, watch
from updraft.monitor.fault import standing
from updraft.monitor.harmless import harmless
from updraft.monitor.incident import Incident, incident, lasting, lasts
from updraft.retrain import HEALED, ModelState, decide
from updraft.simulation.look import ALARMING, Look, Looks, Moment
from updraft.simulation.study import use_case
from updraft.simulation.world import BEFORE, span

PSI = 0.2
WEEK, MONTH = 7, 28


class Ask(Protocol):
    """Say why to train now, the kind of cause and a colon first; empty when not."""

    def __call__(self, now: Moment, /) -> str:
        """Look at what is known."""
        ...


@dataclass
class Controller:
    """The real thing: measure, alarm, k of n, decide.

    :param looks: Where looks are kept that others may have taken before.
    :param kinds: Kinds of measures that are watched.
    :param alarms: Days with an alarm, by its kind.
    :param incidents: Incidents that opened, by their kind.
    """

    looks: Looks = field(default_factory=Looks)
    kinds: tuple[str, ...] = ALARMING
    alarms: Counter[str] = field(default_factory=Counter)
    incidents: Counter[str] = field(default_factory=Counter)
    _seen: deque[Look] = field(default_factory=lambda: deque(maxlen=4 * use_case().monitor.of))
    _history: deque[watch.Alarm | None] = field(default_factory=lambda: deque(maxlen=4 * use_case().monitor.of))
    # Kind of incident of each training that was asked for since the champion changed, while the incident lasts.
    _asked: list[str] = field(default_factory=list)

    def __call__(self, now: Moment) -> str:
        """Do on a day what the monitor and the controller do on a partition."""
        self._seen.append(self.looks.take(now, self.kinds, tuple(self._seen)))
        self._history.append(watch.alarm(self._seen[-1].measured))
        self._count(now.champion.digest)
        state = self._state(now)
        decision = decide(state, use_case().retrain)
        if decision.action != "retrain":
            return ""
        if state.incident and decision.kind != "follow_up":
            self._asked.append(state.incident.kind)
        return f"{decision.kind}: {decision.because}"

    def _count(self, champion: str) -> None:
        alarm = self._history[-1]
        self.alarms.update([] if alarm is None else [str(kind) for kind in alarm.reasons])
        found = lasting(list(self._history), use_case(), champion=champion)
        self.incidents.update(str(one.kind) for one in found if one.is_new)

    def _state(self, now: Moment) -> ModelState:
        limits, days, lag = use_case().retrain, now.world.days, now.world.lag
        as_of, last = days[now.day].as_of, now.trainings[-1]
        asked = [days[day].as_of for day in now.trainings[1:]]
        about = incident(list(self._history), use_case(), champion=now.champion.digest)
        return ModelState(
            champion=now.champion.digest,
            partition=days[now.day].key,
            as_of=as_of,
            last_trained_at=days[last].as_of,
            trainings_in_period=sum(as_of - limits.budget_period < moment < as_of for moment in asked),
            new_mature_partitions=now.day - last if now.day > lag else 0,
            data_incident=standing([look.measured for look in self._seen], use_case(), lag=lag),
            incident=about,
            in_vain=self._in_vain(now),
            since_risen=now.in_vain,
            risen_on=now.risen_on if now.risen_on in HEALED else "",
            harmless="" if about is None else self._harmless(now, about),
        )

    def _harmless(self, now: Moment, about: Incident) -> str:
        """How well the champion does since an incident began, on the days that the newest look judged it by."""
        mature = now.day - now.world.lag
        pooled = range(max(mature - use_case().monitor.window + 1, BEFORE), mature + 1)
        return harmless(about.kind, about.opened, [now.world.days[day].key for day in pooled], self._seen[-1].measured)

    def _in_vain(self, now: Moment) -> int:
        """Trainings for nothing, less those for incidents that are over, as the ledger is counted."""
        history, champion = list(self._history), now.champion.digest
        still = [kind for kind in self._asked if lasts(history, kind, use_case(), champion=champion)]
        self._asked = still if now.in_vain else []
        return len(self._asked)


def never(_now: Moment) -> str:
    """Keep the first champion for ever."""
    return ""


def weekly(now: Moment) -> str:
    """Train every seventh day."""
    return "schedule: a week has passed" if _every(WEEK, now) else ""


def monthly(now: Moment) -> str:
    """Train every 28th day."""
    return "schedule: a month has passed" if _every(MONTH, now) else ""


def any_psi(now: Moment) -> str:
    """Train every seventh day when any feature's PSI was above 0.2 on any day since."""
    if not _every(WEEK, now):
        return ""
    for day in range(now.day - WEEK + 1, now.day + 1):
        rows = now.world.rows[span(day, day)]
        for name, reference in now.champion.histograms.items():
            value = drift.stability(np.asarray(reference.counts), reference.count(rows[name].to_numpy()))
            if value > PSI:
                return f"psi: that of {name} is {value:.2f}"
    return ""


def _every(days: int, now: Moment) -> bool:
    return now.day > BEFORE and (now.day - BEFORE) % days == 0


@dataclass(frozen=True)
class Policy:
    """When to train, and whether a candidate must pass the gate to replace the champion.

    :param make: One for each life, because some remember.
    """

    name: str
    says: str
    make: Callable[[Looks], Ask]
    gated: bool = False


CONTROLLER = "controller"
POLICIES = {
    p.name: p
    for p in (
        Policy(CONTROLLER, "the monitor, k of n, `decide`; the gate", Controller, gated=True),
        Policy("never", "the first champion for ever", lambda _: never),
        Policy("monthly", "every 28 days, no gate", lambda _: monthly),
        Policy("always", "every 7 days, no gate", lambda _: weekly),
        Policy("always_gated", "every 7 days; the gate", lambda _: weekly, gated=True),
        Policy("any_psi", "every 7 days if on any of them any feature's PSI was above 0.2, no gate", lambda _: any_psi),
    )
}

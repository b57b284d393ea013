"""When to train: the controller as it is, and what people do without one."""

from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from updraft.monitor import drift, watch
from updraft.monitor.fault import standing
from updraft.monitor.incident import incident, lasting, lasts
from updraft.monitor.measures import discover
from updraft.monitor.table import Measurement
from updraft.monitor.window import Window
from updraft.retrain import ModelState, decide
from updraft.simulation.arrival import arrivals
from updraft.simulation.champion import Trained
from updraft.simulation.study import use_case
from updraft.simulation.world import BEFORE, World, span

if TYPE_CHECKING:
    from pandas import DataFrame

PSI = 0.2
WEEK, MONTH = 7, 28


@dataclass(frozen=True)
class Moment:
    """What a policy may know on a day, after its rows were scored.

    :param champion: Who scored the day.
    :param by: Who scored each day so far.
    :param scores: The score of every row so far; nan elsewhere (rows,).
    :param trainings: Days at which trainings stood, the first champion's included.
    :param in_vain: Trainings that brought no better model, since the champion last changed.
    :param healing: Whether the champion rose on a loss of performance, or on a follow-up of one.
    """

    world: World
    day: int
    champion: Trained
    by: Mapping[int, Trained]
    scores: NDArray[np.float64]
    trainings: tuple[int, ...]
    in_vain: int = 0
    healing: bool = False


class Ask(Protocol):
    """Say why to train now; empty when not."""

    def __call__(self, now: Moment, /) -> str:
        """Look at what is known."""
        ...


# Kinds of measures that an alarm or a fault of the feed can come from; the others are only reported.
ALARMING = (
    "calibration",
    "decisions",
    "estimated",
    "features",
    "feed",
    "multivariate",
    "outage",
    "performance",
    "scores",
)
Looks = deque[list[Measurement]]


@dataclass
class Controller:
    """The real thing: measure, alarm, k of n, decide.

    :param kinds: Kinds of measures that are watched.
    :param alarms: Days with an alarm, by its kind.
    :param incidents: Incidents that opened, by their kind.
    """

    kinds: tuple[str, ...] = ALARMING
    alarms: Counter[str] = field(default_factory=Counter)
    incidents: Counter[str] = field(default_factory=Counter)
    _looks: Looks = field(default_factory=lambda: deque(maxlen=4 * use_case().monitor.of))
    _history: deque[watch.Alarm | None] = field(default_factory=lambda: deque(maxlen=4 * use_case().monitor.of))
    _asked_for: str = ""
    _vain: list[str] = field(default_factory=list)
    _heard: int = 0

    def __call__(self, now: Moment) -> str:
        """Do on a day what the monitor and the controller do on a partition."""
        earlier = tuple(m for look in self._looks for m in look)
        seen = window(now, earlier)
        measured = [one for name, how in discover().items() if name in self.kinds for one in how(seen)]
        self._looks.append(measured)
        self._history.append(watch.alarm(measured))
        self._count(now.champion.digest)
        state = self._state(now)
        decision = decide(state, use_case().retrain)
        if decision.action != "retrain":
            return ""
        self._asked_for = state.incident.kind if state.incident else ""
        return decision.because

    def _count(self, champion: str) -> None:
        alarm = self._history[-1]
        self.alarms.update([] if alarm is None else [str(kind) for kind in alarm.reasons])
        found = lasting(list(self._history), use_case(), champion=champion)
        self.incidents.update(str(one.kind) for one in found if one.is_new)

    def _state(self, now: Moment) -> ModelState:
        limits, days, lag = use_case().retrain, now.world.days, now.world.lag
        as_of, last = days[now.day].as_of, now.trainings[-1]
        asked = [days[day].as_of for day in now.trainings[1:]]
        return ModelState(
            champion=now.champion.digest,
            partition=days[now.day].key,
            as_of=as_of,
            last_trained_at=days[last].as_of,
            trainings_in_period=sum(as_of - limits.budget_period < moment < as_of for moment in asked),
            new_mature_partitions=now.day - last if now.day > lag else 0,
            data_incident=standing(list(self._looks), use_case(), lag=lag),
            incident=incident(list(self._history), use_case(), champion=now.champion.digest),
            in_vain=self._in_vain(now),
            risen_on="performance" if now.healing else "",
        )

    def _in_vain(self, now: Moment) -> int:
        """Trainings for nothing, less those for incidents that are over, as the ledger is counted."""
        if now.in_vain > self._heard:
            self._vain.append(self._asked_for)
        self._heard, history = now.in_vain, list(self._history)
        kept = [
            kind for kind in self._vain if not kind or lasts(history, kind, use_case(), champion=now.champion.digest)
        ]
        self._vain = kept if now.in_vain else []
        return len(self._vain)


def window(now: Moment, earlier: tuple[Measurement, ...] = ()) -> Window:
    """What one look at a day has before it, as `updraft.life.monitor` reads it from the lake."""
    case, world = use_case(), now.world
    reach, mature = case.monitor.window - 1, now.day - world.lag
    first, since = max(now.day - reach, BEFORE), max(mature - reach, BEFORE)
    waiting = {
        world.days[day].key: "its labels were not delivered"
        for day in range(since, mature + 1)
        if not world.delivered(day, now.day)
    }
    truth = _scored(now, since, mature)
    label = world.labels(since, mature, now.day)
    truth[case.label.column] = label[_by_champion(now, since, mature)]
    return Window(
        case=case,
        partition=world.days[now.day].key,
        champion=now.champion.digest,
        profile=now.champion.profile,
        features=world.rows[span(first, now.day)],
        scores=_scored(now, first, now.day),
        matured=truth,
        waiting=waiting,
        holdout=now.champion.on_holdout,
        model=now.champion.model,
        earlier=earlier,
        reference_rows=now.champion.reference_rows,
        labels={
            world.days[day].key: float(np.isfinite(world.labels(day, day, now.day)).mean())
            for day in range(since, mature + 1)
        },
        arrivals=arrivals(world, now.day, {day: who is now.champion for day, who in now.by.items()}, now.scores),
    )


def _scored(now: Moment, first: int, last: int) -> "DataFrame":
    """The champion's rows of days `first` to `last`, with the features."""
    own = _by_champion(now, first, last)
    rows, scores = now.world.rows[span(first, last)][own], now.scores[span(first, last)][own]
    return rows.assign(score=scores, acted=scores >= now.champion.model.threshold, model=now.champion.digest)


def _by_champion(now: Moment, first: int, last: int) -> NDArray[np.bool_]:
    mine = [now.by[day] is now.champion for day in range(first, last + 1)]
    return np.repeat(np.array(mine, dtype=bool), len(now.world.rows) // len(now.world.days))


def never(_now: Moment) -> str:
    """Keep the first champion for ever."""
    return ""


def weekly(now: Moment) -> str:
    """Train every seventh day."""
    return "a week has passed" if _every(WEEK, now) else ""


def monthly(now: Moment) -> str:
    """Train every 28th day."""
    return "a month has passed" if _every(MONTH, now) else ""


def any_psi(now: Moment) -> str:
    """Train every seventh day when any feature's PSI was above 0.2 on any day since."""
    if not _every(WEEK, now):
        return ""
    for day in range(now.day - WEEK + 1, now.day + 1):
        rows = now.world.rows[span(day, day)]
        for name, reference in now.champion.histograms.items():
            value = drift.stability(np.asarray(reference.counts), reference.count(rows[name].to_numpy()))
            if value > PSI:
                return f"PSI of {name} is {value:.2f}"
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
    make: Callable[[], Ask]
    gated: bool = False


CONTROLLER = "controller"
POLICIES = {
    p.name: p
    for p in (
        Policy(CONTROLLER, "the monitor, k of n, `decide`; the gate", Controller, gated=True),
        Policy("never", "the first champion for ever", lambda: never),
        Policy("monthly", "every 28 days, no gate", lambda: monthly),
        Policy("always", "every 7 days, no gate", lambda: weekly),
        Policy("always_gated", "every 7 days; the gate", lambda: weekly, gated=True),
        Policy("any_psi", "every 7 days if on any of them any feature's PSI was above 0.2, no gate", lambda: any_psi),
    )
}

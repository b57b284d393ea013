"""One look of the controller at a simulated day: what it may know, what it measures, and what it need not twice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from updraft.life.arrival import MOST_COHORTS, ages
from updraft.monitor.measures import discover
from updraft.monitor.table import Measurement
from updraft.monitor.window import Window
from updraft.simulation.arrival import arrivals
from updraft.simulation.champion import Trained
from updraft.simulation.study import use_case
from updraft.simulation.world import BEFORE, World, span

if TYPE_CHECKING:
    from pandas import DataFrame

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


@dataclass(frozen=True)
class Moment:
    """What a policy may know on a day, after its rows were scored.

    :param champion: Who scored the day.
    :param by: Who scored each day so far.
    :param scores: The score of every row so far; nan elsewhere (rows,).
    :param trainings: Days at which trainings stood, the first champion's included.
    :param in_vain: Trainings that brought no better model, since the champion last changed.
    :param risen_on: Kind of cause of the champion's training, where it took the place of another one.
    """

    world: World
    day: int
    champion: Trained
    by: Mapping[int, Trained]
    scores: NDArray[np.float64]
    trainings: tuple[int, ...]
    in_vain: int = 0
    risen_on: str = ""


@dataclass(frozen=True)
class Look:
    """What was measured on a day.

    :param number: Equal for looks that measured the same.
    """

    number: int
    measured: Sequence[Measurement]


@dataclass
class Looks:
    """Looks at the same rows, about the same champion, after the same looks, are taken once.

    Worlds of one seed are alike until something happens, and some again when it is over.
    """

    _taken: dict[tuple[object, ...], Look] = field(default_factory=dict)
    _numbers: dict[str, int] = field(default_factory=dict)

    def take(self, now: Moment, kinds: tuple[str, ...], earlier: Sequence[Look]) -> Look:
        """Measure some kinds of things; `earlier` are the looks of the days before, oldest first."""
        at = (kinds, *_before_it(now), tuple(look.number for look in earlier))
        if at not in self._taken:
            seen = window(now, tuple(m for look in earlier for m in look.measured))
            measured = [one for name, how in discover().items() if name in kinds for one in how(seen)]
            # As text, for a number that is undefined does not equal itself.
            self._taken[at] = Look(self._numbers.setdefault(repr(measured), len(self._numbers)), measured)
        return self._taken[at]


def _before_it(now: Moment) -> tuple[object, ...]:
    """All that a window is made of, and some more: equal wherever the windows are."""
    lag, width = now.world.lag, use_case().monitor.window
    reach = max(lag + width, ages(lag)[-1] + MOST_COHORTS)
    first = max(now.day - reach, BEFORE)
    own = tuple(now.by[day] is now.champion for day in range(first, now.day + 1))
    return now.day, now.champion.digest, own, now.world.seen(first, now.day, now.day)


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

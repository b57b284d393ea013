"""A model as it lives: trained, measured on its holdout, profiled, and its scores."""

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from updraft.dataset import Dataset
from updraft.errors import TrainingRefused
from updraft.evidence import Evidence
from updraft.evidence.gates import champion as gate
from updraft.evidence.interval import Interval, interval
from updraft.evidence.metrics import METRICS
from updraft.evidence.verdict import Verdict
from updraft.model.model import Model
from updraft.monitor import told_apart
from updraft.monitor.conduct import conduct
from updraft.monitor.faulty import faulty
from updraft.monitor.histogram import Histogram, histogram
from updraft.monitor.importance import importance
from updraft.monitor.performance import WATCHED
from updraft.monitor.reference import Profile, profile
from updraft.simulation.study import FINGERPRINT, use_case
from updraft.simulation.world import World, span
from updraft.train.candidate import train

if TYPE_CHECKING:
    from pandas import DataFrame

Array = NDArray[np.float64]

MONTH = 28


@dataclass(frozen=True, eq=False)
class Trained:
    """A candidate, or a champion.

    :param learnt: Every labelled row its training could see, with the label.
    :param held: Those among them that only the gate may look at.
    """

    model: Model
    learnt: "DataFrame"
    held: "DataFrame"
    _months: dict[tuple[str, int], Array] = field(default_factory=dict)

    @cached_property
    def digest(self) -> str:
        """The model's name."""
        return self.model.digest

    def scores(self, world: World, day: int) -> Array:
        """Its scores of the rows of a day; a month is scored at once, which is the same and faster."""
        month = (world.scenario.name, day // MONTH)
        if month not in self._months:
            own = span(month[1] * MONTH, (month[1] + 1) * MONTH - 1)
            self._months[month] = self.model.predict(world.rows[own])
        return self._months[month][span(day % MONTH, day % MONTH)]

    @cached_property
    def on_holdout(self) -> Interval:
        """The watched metric on its holdout."""
        case, held = use_case(), self.held
        rows = held[case.label.column].to_numpy(float), self.model.predict(held), held["partition"].to_numpy(str)
        metric = METRICS[WATCHED["binary"][0]]
        return interval(metric, *rows, confidence=case.gates.confidence, seed=case.model.seed)

    @cached_property
    def histograms(self) -> dict[str, Histogram]:
        """What its features were, as its profile has them; most policies need no more of it."""
        return {name: histogram(self.learnt[name], feature.type) for name, feature in use_case().learned.items()}

    @cached_property
    def reference(self) -> Profile:
        """What is usual of its features: all that is asked of a champion which nobody monitors."""
        return profile(self.learnt, use_case(), self.model.predict(self.held), importance(self.model, self.held))

    @cached_property
    def profile(self) -> Profile:
        """What monitoring compares with."""
        case, model = use_case(), self.model
        apart = told_apart.usual(model.encoder, self.reference_rows)
        behaved = conduct(case, model, self.held, WATCHED["binary"][0])
        return replace(self.reference, conduct=behaved, told_apart=apart, run_width=case.monitor.window)

    @cached_property
    def reference_rows(self) -> "DataFrame":
        """Some rows of its own windows, in runs as long as a look."""
        import pandas as pd

        rows, keys = self.learnt, sorted(self.learnt["partition"].unique())
        taken = [
            told_apart.sample(rows[rows["partition"].isin(run)]).assign(run=number)
            for number, run in enumerate(told_apart.runs(keys, use_case().monitor.window))
        ]
        return pd.concat(taken, ignore_index=True)


def learnable(world: World, at: int) -> tuple[int, int]:
    """First and last day that a training at the moment of a day learns from, if their labels have come."""
    history = use_case().model.history
    last = at - world.lag
    return max(last - history.days + 1, 0) if history else 0, last


def known(world: World, at: int) -> Dataset:
    """Labels that are mature and known at the moment of a day, with their rows."""
    case = use_case()
    first, last = learnable(world, at)
    rows = world.rows[span(first, last)].assign(**{case.label.column: world.labels(first, last, at)})
    rows = rows[rows[case.label.column].notna()].reset_index(drop=True)
    return Dataset(rows, FINGERPRINT, {}, world.days[at].key, 0, ())


@dataclass
class Trainings:
    """What each training gives; whoever trains on the same rows shares it."""

    _known: dict[tuple[int, bytes], Dataset] = field(default_factory=dict)
    _made: dict[tuple[int, bytes, tuple[str, ...]], Trained | None] = field(default_factory=dict)

    def at(self, world: World, day: int, champion: Trained | None = None) -> Trained | None:
        """Train at the moment of a day; None when that is refused.

        :param champion: By whose reference partitions that look broken are left out; none without.
        """
        rows = (day, world.seen(*learnable(world, day), day))
        if rows not in self._known:
            self._known[rows] = known(world, day)
        found = sound(self._known[rows], champion)
        key = (*rows, tuple(found.faulty))
        if key not in self._made:
            self._made[key] = fitted(found)
        return self._made[key]


def sound(data: Dataset, champion: Trained | None) -> Dataset:
    """Leave out partitions that look broken by the reference of a champion, as a training of Updraft does."""
    return data if champion is None else data.without(faulty(use_case(), champion.reference, data.rows))


def fitted(data: Dataset) -> Trained | None:
    """Train on some rows; None when that is refused."""
    try:
        made = train(use_case(), data, code_version="simulated")
    except TrainingRefused:
        return None
    return Trained(made.model, data.rows, made.split.take(data.rows, "holdout"))


def compare(candidate: Trained, champion: Trained) -> Verdict:
    """Ask the gate that guards the champion, on the candidate's holdout."""
    case, held = use_case(), candidate.held
    evidence = Evidence(
        y=held[case.label.column].to_numpy(float),
        blocks=held["partition"].to_numpy(str),
        candidate=candidate.model.predict(held),
        family=candidate.model.family,
        champion=champion.model.predict(held),
        champion_digest=champion.digest,
    )
    verdict = gate.gate(evidence, case)
    if verdict is None:
        raise ValueError("the gate was asked about a champion and said there is none")
    return verdict

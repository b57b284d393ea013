"""One policy in one world: score, watch, decide, train, gate, replace; and what came of it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from updraft.simulation.champion import Trained, Trainings, compare
from updraft.simulation.look import Looks, Moment
from updraft.simulation.policy import Controller, Policy
from updraft.simulation.scenario import SCENARIOS, Scenario
from updraft.simulation.study import use_case
from updraft.simulation.world import BEFORE, YEAR, World, draw, span


@dataclass(frozen=True)
class Life:
    """What came of a policy in a world. Days are counted from the world's first.

    :param asked: Day and reason of each training that was asked for.
    :param promoted: Days after whose scoring a candidate replaced the champion.
    :param lost: Value per row that was lost against acting on the truth.
    :param actionable: First day at whose moment labels of the scenario's change were mature.
    :param alarms: Days with an alarm, by its kind; empty where a policy watches nothing.
    :param incidents: Incidents that opened, by their kind.
    """

    scenario: str
    policy: str
    seed: int
    years: float
    asked: tuple[tuple[int, str], ...]
    promoted: tuple[int, ...]
    lost: float
    onset: int
    actionable: int
    alarms: Mapping[str, int] = field(default_factory=dict)
    incidents: Mapping[str, int] = field(default_factory=dict)

    @property
    def false(self) -> int:
        """Trainings that could not have mended anything: all, or those before the change could be seen."""
        useful = SCENARIOS[self.scenario].useful
        return sum(not useful or day < self.actionable for day, _ in self.asked)

    @property
    def delay(self) -> float:
        """Partitions from label maturity to the first training after it; infinite when there was none."""
        return min((day - self.actionable for day, _ in self.asked if day >= self.actionable), default=math.inf)

    @property
    def on_broken(self) -> int:
        """Trainings asked for while broken rows were in any look, or alarms of such looks in the count."""
        monitor, broken = use_case().monitor, SCENARIOS[self.scenario].broken
        until = self.actionable + broken + monitor.window + monitor.of - 2
        return sum(broken > 0 and self.onset <= day < until for day, _ in self.asked)

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> "Life":
        """Read what `to_json` gave."""
        asked = tuple((int(day), str(why)) for day, why in said["asked"])
        return cls(**{**said, "asked": asked, "promoted": tuple(said["promoted"])})


@dataclass(frozen=True)
class Shared:
    """What worlds of one seed and policies in them need to work out only once, since it is the same in all."""

    trainings: Trainings = field(default_factory=Trainings)
    looks: Looks = field(default_factory=Looks)


def live(scenario: Scenario, seed: int, policies: Sequence[Policy], shared: Shared, *, years: int = 1) -> list[Life]:
    """Live through one world once per policy."""
    world = draw(scenario, seed, years=years)
    return [_live(world, policy, shared) for policy in policies]


def _live(world: World, policy: Policy, shared: Shared) -> Life:
    champion = shared.trainings.at(world, BEFORE)
    if champion is None:
        raise ValueError("the history is too short for a first champion")
    ask, by = policy.make(shared.looks), dict[int, Trained]()
    scores = np.full(len(world.rows), np.nan)
    asked: list[tuple[int, str]] = []
    promoted: list[int] = []
    in_vain, risen_on = 0, ""
    for day in world.live:
        own = span(day, day)
        by[day], scores[own] = champion, champion.scores(world, day)
        stood = (BEFORE, *(at for at, _ in asked))
        why = ask(Moment(world, day, champion, by, scores, stood, in_vain, risen_on))
        if not why:
            continue
        asked.append((day, why))
        candidate = shared.trainings.at(world, day, champion if policy.gated else None)
        if candidate is not None and (not policy.gated or compare(candidate, champion).outcome == "PASS"):
            champion = candidate
            promoted.append(day)
            in_vain, risen_on = 0, why.partition(":")[0]
        else:
            in_vain += 1
    own = span(world.live[0], world.live[-1])
    lost = world.oracle(own) - world.worth(scores[own], own)
    years = len(world.live) / YEAR
    name, saw = world.scenario.name, ask if isinstance(ask, Controller) else Controller()
    return Life(
        name, policy.name, world.seed, years, tuple(asked), tuple(promoted), lost, world.onset, world.actionable,
        dict(saw.alarms), dict(saw.incidents),
    )  # fmt: skip

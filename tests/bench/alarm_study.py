"""What should count as a loss of performance? How often each rule cries wolf, and how soon it sees a world that turned.

A first champion of a simulated year is never replaced. Each day the AUC of its newest mature week is held against its
holdout by the monitor's own rule, at several sizes of `monitor.max_drop`: counted from the holdout's value, as if it
were exact, and from its lower bound, as the monitor does. An alarm in 2 of 5 days asks for a training, and no sooner
than the cooldown after the last one: in a stationary year each is false. In a year with abrupt drift, `within 5` is the
share of seeds in which one is asked for at most five partitions after the first label of the drift was mature.

    python tests/bench/alarm_study.py --seeds 100
"""

import argparse
from collections.abc import Iterator
from multiprocessing import get_context

import numpy as np

from updraft.evidence.interval import Interval, interval
from updraft.evidence.metrics import METRICS
from updraft.monitor.watched import Watched
from updraft.simulation.champion import Trainings
from updraft.simulation.scenario import SCENARIOS
from updraft.simulation.study import use_case
from updraft.simulation.world import BEFORE, World, draw, span

DROPS = (0.03, 0.04, 0.05, 0.06)
SOON = 5


def weeks(world: World) -> tuple[Interval, list[tuple[int, Interval]]]:
    """AUC on the first champion's holdout, and of each day's newest mature week."""
    case, champion = use_case(), Trainings().at(world, BEFORE)
    if champion is None:
        raise ValueError("the history is too short for a first champion")
    scores = np.concatenate([champion.scores(world, day) for day in range(len(world.days))])
    days = np.repeat(np.arange(len(world.days)), len(scores) // len(world.days))
    sure, seed, found = case.gates.confidence, case.model.seed, []
    for day in range(BEFORE + world.lag + case.monitor.window - 1, len(world.days)):
        own = span(day - world.lag - case.monitor.window + 1, day - world.lag)
        auc = interval(METRICS["auc"], world.came_true[own], scores[own], days[own], confidence=sure, seed=seed)
        found.append((day, auc))
    return champion.on_holdout, found


def asked(seen: list[tuple[int, Interval]], holdout: Interval, drop: float) -> Iterator[int]:
    """Days on which a training would be asked for, whatever came of the ones before."""
    monitor, quiet = use_case().monitor, use_case().retrain.cooldown.days
    alarms, last = [], -quiet
    for day, auc in seen:
        alarms.append(Watched("auc", auc, holdout, drop).judge("")[0] == "drifted")
        if sum(alarms[-monitor.of :]) >= monitor.alarms and day - last >= quiet:
            last = day
            yield day


def one(seed: int) -> list[tuple[int, bool]]:
    """For each rule: false trainings in a stationary year, and whether abrupt drift was acted upon soon."""
    found = []
    calm, turned = (draw(SCENARIOS[name], seed) for name in ("stationary", "abrupt_drift"))
    (holdout, nothing), (_, something) = weeks(calm), weeks(turned)
    for exact in (True, False):
        held = Interval(holdout.value, np.nan, np.nan) if exact else holdout
        for drop in DROPS:
            after = [day - turned.actionable for day in asked(something, held, drop) if day >= turned.actionable]
            found.append((len(list(asked(nothing, held, drop))), min(after, default=SOON + 1) <= SOON))
    return found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--processes", type=int, default=2)
    told = parser.parse_args()
    with get_context("spawn").Pool(told.processes) as pool:
        every = np.array(pool.map(one, range(told.first, told.first + told.seeds)), dtype=float)
    print(f"{told.seeds} seeds")
    print(f"{'counted from':14}{'max_drop':>10}{'false a year':>14}{'years with any':>16}{'within 5':>10}")
    for rule, (drop, name) in enumerate((d, n) for n in ("the value", "the bound") for d in DROPS):
        false, soon = every[:, rule, 0], every[:, rule, 1]
        print(f"{name:14}{drop:10.2f}{false.mean():14.2f}{(false > 0).mean():16.0%}{soon.mean():10.0%}")


if __name__ == "__main__":
    main()

"""Lives of many seeds, summed up per scenario and policy, each number with the interval that chance leaves it."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from updraft.monitor.watch import HEADLINES
from updraft.simulation.life import Life
from updraft.simulation.policy import CONTROLLER, POLICIES
from updraft.simulation.scenario import SCENARIOS

CONFIDENCE = 0.95
SOON = 5


@dataclass(frozen=True)
class Estimate:
    """A mean or a share over seeds, with a two-sided 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Line:
    """One policy in one scenario.

    :param trainings: Trainings per year.
    :param false: Trainings per year that could not have mended anything.
    :param on_broken: Trainings per life that were asked for while broken rows were in sight.
    :param lost: Value per 1,000 rows that was lost against acting on the truth.
    :param behind: The controller's loss less this policy's, per 1,000 rows of the same worlds; negative is better.
    :param soon: Share of lives in which a training was asked for within five partitions of label maturity.
    :param delay: Partitions from label maturity to the first training, the median; infinite when most lives had none.
    """

    scenario: str
    policy: str
    seeds: int
    trainings: Estimate
    false: Estimate
    on_broken: float
    lost: Estimate
    behind: Estimate
    soon: Estimate | None
    delay: float | None


def summarise(lives: Iterable[Life]) -> list[Line]:
    """Sum up, in the order of the scenarios and policies."""
    order = list(SCENARIOS), list(POLICIES)
    ordered = sorted(lives, key=lambda x: (order[0].index(x.scenario), order[1].index(x.policy), x.seed))
    groups = {key: [*own] for key, own in groupby(ordered, key=lambda x: (x.scenario, x.policy))}
    return [_line(own, groups.get((scenario, CONTROLLER), [])) for (scenario, _), own in groups.items()]


def _line(own: Sequence[Life], controller: Sequence[Life]) -> Line:
    one = own[0]
    useful = SCENARIOS[one.scenario].useful
    theirs = {x.seed: x.lost for x in controller}
    behind = [1000 * (theirs[x.seed] - x.lost) for x in own if x.seed in theirs]
    soon = sum(x.delay <= SOON for x in own)
    return Line(
        scenario=one.scenario,
        policy=one.policy,
        seeds=len(own),
        trainings=mean([len(x.asked) / x.years for x in own]),
        false=mean([x.false / x.years for x in own]),
        on_broken=float(np.mean([x.on_broken for x in own])),
        lost=mean([1000 * x.lost for x in own]),
        behind=mean(behind),
        soon=share(soon, len(own)) if useful else None,
        delay=float(np.median([x.delay for x in own])) if useful else None,
    )


def mean(values: Sequence[float]) -> Estimate:
    """Mean with Student's t; without an interval for a single value.

    >>> mean([1.0, 2.0, 3.0]).value
    2.0
    """
    from scipy.special import stdtrit

    if len(values) < 2:
        return Estimate(values[0] if values else math.nan, math.nan, math.nan)
    each = np.asarray(values)
    reach = float(stdtrit(len(each) - 1, (1 + CONFIDENCE) / 2) * each.std(ddof=1) / np.sqrt(len(each)))
    return Estimate(float(each.mean()), float(each.mean()) - reach, float(each.mean()) + reach)


def share(count: int, among: int) -> Estimate:
    """Share with Wilson's interval (Wilson, JASA 1927).

    >>> found = share(190, 200)
    >>> round(found.low, 3), round(found.high, 3)
    (0.91, 0.973)
    """
    from scipy.special import ndtri

    z, p = float(ndtri((1 + CONFIDENCE) / 2)), count / among
    centre = (p + z * z / (2 * among)) / (1 + z * z / among)
    reach = z / (1 + z * z / among) * math.sqrt(p * (1 - p) / among + z * z / (4 * among * among))
    return Estimate(p, max(centre - reach, 0.0), min(centre + reach, 1.0))


@dataclass(frozen=True)
class Demand:
    """What the controller must reach in a scenario, and what it did."""

    says: str
    found: str
    met: bool


def demands(lines: Sequence[Line]) -> list[Demand]:
    """Hold the controller against what is demanded of it, as far as the scenarios were lived through."""
    found = {(line.scenario, line.policy): line for line in lines}
    said = []
    if calm := found.get(("stationary", CONTROLLER)):
        says = "fewer than one false training per stationary year"
        said.append(Demand(says, _interval(calm.false, 2), calm.false.value < 1))
    if abrupt := found.get(("abrupt_drift", CONTROLLER)):
        says = f"abrupt drift acted upon within {SOON} partitions of label maturity in 95 % of seeds"
        soon = abrupt.soon or Estimate(0, 0, 0)
        said.append(Demand(says, _interval(soon, 3), soon.value >= 0.95))
    if broken := found.get(("broken_feed", CONTROLLER)):
        says = "no training on a broken feed"
        said.append(Demand(says, f"{broken.on_broken:.3f} per life", broken.on_broken == 0))
    for scenario in dict.fromkeys(line.scenario for line in lines):
        # A policy with Updraft's own gate is not naive; how far the controller is behind it stands in its row.
        naive = [x for x in lines if x.scenario == scenario and not POLICIES[x.policy].gated]
        if naive and (scenario, CONTROLLER) in found:
            best = min(naive, key=lambda x: x.lost.value)
            says = f"{scenario}: worth at least what the best naive policy is, within noise"
            text = f"{_interval(best.behind, 1)} per 1,000 rows behind `{best.policy}`"
            said.append(Demand(says, text, not best.behind.low > 0))
    return said


def markdown(lines: Sequence[Line]) -> str:
    """The table, and the demands below it."""
    head = (
        "| scenario | policy | trainings a year | false ones a year | while broken rows are in sight "
        "| acted within 5 | median delay | lost per 1,000 rows | controller behind by |\n"
        f"|{' --- |' * 9}\n"
    )
    asked = "".join(f"| {d.says} | {d.found} | {'yes' if d.met else 'NO'} |\n" for d in demands(lines))
    return f"{head}{''.join(map(_row, lines))}\n| demand | found | met |\n| --- | --- | --- |\n{asked}"


FOLLOW_UP = "follow_up"


def watched(lives: Iterable[Life]) -> str:
    """What the controller saw and did, by kind of alarm: days with one, incidents and trainings per year of life."""
    own = [life for life in lives if life.policy == CONTROLLER]
    head = f"| scenario | kind | days with an alarm | incidents | trainings asked for |\n|{' --- |' * 5}\n"
    rows = []
    for scenario in [name for name in SCENARIOS if any(life.scenario == name for life in own)]:
        of = [life for life in own if life.scenario == scenario]
        asked = Counter(why.partition(":")[0] for life in of for _, why in life.asked)
        years = sum(life.years for life in of)
        for kind in (*HEADLINES, FOLLOW_UP):
            seen = sum(life.alarms.get(kind, 0) for life in of)
            opened = sum(life.incidents.get(kind, 0) for life in of)
            if seen + opened + asked[kind]:
                cells = f"{seen / years:.2f} | {opened / years:.2f} | {asked[kind] / years:.2f}"
                rows.append(f"| {scenario} | {kind} | {cells} |\n")
    return head + "".join(rows)


def _row(line: Line) -> str:
    cells = (
        line.scenario,
        line.policy,
        f"{line.trainings.value:.1f}",
        _interval(line.false, 2),
        f"{line.on_broken:.2f}" if SCENARIOS[line.scenario].broken else "",
        "" if line.soon is None else _interval(line.soon, 2),
        "" if line.delay is None else "none" if math.isinf(line.delay) else f"{line.delay:g}",
        _interval(line.lost, 1),
        "" if line.policy == CONTROLLER else _interval(line.behind, 1),
    )
    return f"| {' | '.join(cells)} |\n"


def _interval(found: Estimate, digits: int) -> str:
    if math.isnan(found.low):
        return f"{found.value:.{digits}f}"
    return f"{found.value:.{digits}f} ({found.low:.{digits}f} to {found.high:.{digits}f})"

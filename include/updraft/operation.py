"""What the work on a partition took: rows, seconds, processor time and memory of every task, and what that costs.

Every attempt that ended well keeps one small object, once.
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from updraft.errors import Permanent
from updraft.spec.costs import Costs
from updraft.spec.model import UseCase

if TYPE_CHECKING:
    from updraft.lake import Lake

HOUR = 3600.0
GIGABYTE = 1e9
SCORING = "score.score"
BEFORE_MONITORING = ("ingest", "features", "score")


@dataclass(frozen=True)
class Spent:
    """What one task of one run took.

    :param partition: Key of the last partition it worked on.
    :param partitions: How many partitions it worked on.
    :param task: Stage and task, such as `score.score`.
    :param run: Id of the run, and of the attempt.
    :param began: Wall clock in UTC, as ISO 8601 with an equal number of digits, so that text sorts by time.
    :param rows: Rows it worked on; `None` where that has no meaning.
    :param seconds: Wall time of its own work.
    :param cpu_seconds: Processor time, with that of the processes it started.
    :param peak_memory: Most bytes it held, or the largest process it started.
    """

    partition: str
    partitions: int
    task: str
    run: str
    began: str
    rows: int | None
    seconds: float
    cpu_seconds: float
    peak_memory: int

    def cost(self, costs: Costs) -> float:
        """Price of it: processor time, and the memory it held for as long as it ran."""
        held = self.peak_memory / GIGABYTE * self.seconds
        return (self.cpu_seconds * costs.cpu_hour + held * costs.gigabyte_hour) / HOUR


def keep(case: UseCase, lake: "Lake", spent: Spent) -> None:
    """Keep what a task took; an attempt that is told again is not counted again."""
    run = re.sub(r"[^A-Za-z0-9_-]", "-", spent.run)[:120]
    lake.create(f"{_folder(case, spent.partition)}/{spent.task}/{run}.json", json.dumps(asdict(spent)).encode())


def read(case: UseCase, lake: "Lake", partitions: Sequence[str] | None = None) -> list[Spent]:
    """What the tasks of some partitions took, or of all."""
    folders = [_folder(case)] if partitions is None else [_folder(case, key) for key in partitions]
    return [_read(lake, key) for folder in folders for key in lake.keys(folder)]


def first_runs(spent: Sequence[Spent], stages: Sequence[str]) -> list[Spent]:
    """The first run of every task of some stages: the one that did the work, which others find done."""
    found: dict[str, Spent] = {}
    for one in sorted(spent, key=lambda each: (each.began, each.run)):
        if one.task.partition(".")[0] in stages:
            found.setdefault(one.task, one)
    return [found[task] for task in sorted(found)]


def _folder(case: UseCase, partition: str = "") -> str:
    return f"operation/{case.name}/{partition}".rstrip("/")


def _read(lake: "Lake", key: str) -> Spent:
    try:
        return Spent(**json.loads(lake.get(key)))
    except (ValueError, TypeError) as broken:
        raise Permanent(
            f"{key} does not say what a task took.", next_step="remove it from the lake; nothing but costs rests on it."
        ) from broken


@dataclass(frozen=True)
class Total:
    """What a number of tasks took together.

    :param predictions: Rows that were scored.
    :param cost: Price by currency, of the use cases whose specs give rates.
    """

    tasks: int = 0
    predictions: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_memory: int = 0
    cost: Mapping[str, float] = field(default_factory=dict)

    def __add__(self, other: "Total") -> "Total":
        currencies = {*self.cost, *other.cost}
        return Total(
            self.tasks + other.tasks,
            self.predictions + other.predictions,
            self.seconds + other.seconds,
            self.cpu_seconds + other.cpu_seconds,
            max(self.peak_memory, other.peak_memory),
            {name: self.cost.get(name, 0.0) + other.cost.get(name, 0.0) for name in currencies},
        )

    def per_thousand(self, amount: float) -> float:
        """Amount for 1,000 predictions; `nan` where nothing was predicted."""
        return amount * 1000 / self.predictions if self.predictions else math.nan


def total(case: UseCase, spent: Sequence[Spent]) -> Total:
    """Add up tasks of a use case."""
    return Total(
        tasks=len(spent),
        predictions=sum(one.rows or 0 for one in spent if one.task == SCORING),
        seconds=sum(one.seconds for one in spent),
        cpu_seconds=sum(one.cpu_seconds for one in spent),
        peak_memory=max((one.peak_memory for one in spent), default=0),
        cost={case.costs.currency: sum(one.cost(case.costs) for one in spent)} if case.costs else {},
    )

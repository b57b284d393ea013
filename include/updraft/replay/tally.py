"""What a policy earned, how well its models ranked, what it did, and what that cost."""

import json
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from updraft import dataset, score
from updraft.evidence.metrics import METRICS
from updraft.evidence.worth import worth
from updraft.lake import Lake
from updraft.ledger import Ledger
from updraft.model.labels import came_true
from updraft.monitor.performance import WATCHED
from updraft.partition import calendar
from updraft.records import State
from updraft.spec.model import UseCase

if TYPE_CHECKING:
    from pandas import DataFrame

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Deeds:
    """What the ledger of a policy says was done, and what was not done with a reason.

    :param trainings: Begun, the first champion's among them; `refused` of them for lack of data.
    :param held_back: Decisions to do nothing about something that was seen.
    :param quarantined: Decisions not to learn from a broken feed.
    :param cpu: Seconds of processor time that trainings and gates took, and of the clock (`seconds`).
    """

    trainings: int
    refused: int
    promotions: int
    rejections: int
    rollbacks: int
    incidents: int
    held_back: int
    quarantined: int
    seconds: float
    cpu: float


def deeds(case: UseCase, lake: Lake) -> Deeds:
    """Count what a policy did."""
    state = Ledger(lake, case.name).state()
    kinds = Counter(record.kind for record in state.records)
    actions = Counter(_action(record.facts) for record in state.records if record.kind == "decided")
    told = [json.loads(lake.get(place)) for place in lake.keys(f"replay/{case.name}")]
    trained = [stage for stages in told for stage in stages if stage["stage"] == "train"]
    return Deeds(
        trainings=_attempts(state),
        refused=kinds["refused"],
        promotions=kinds["promoted"],
        rejections=kinds["rejected"],
        rollbacks=kinds["rolled_back"],
        incidents=kinds["incident"],
        held_back=actions["held back"],
        quarantined=actions["quarantine"],
        seconds=sum(stage["seconds"] for stage in trained),
        cpu=sum(stage["cpu"] for stage in trained),
    )


def _action(facts: Any) -> str:
    """What was decided; to do nothing is held back when there was something to do it about."""
    return "held back" if facts.get("action") == "none" and facts.get("incident") else str(facts.get("action"))


def _attempts(state: State) -> int:
    return len({(r.kind, r.partition) for r in state.records if r.kind in ("trained", "refused")})


def outcomes(case: UseCase, lake: Lake, keys: Sequence[str]) -> "DataFrame":
    """Scores that counted, with what came true and what each was worth; rows with score and label alone."""
    by = ["partition", *case.entity]
    stored = score.read(case, keys, lake)
    scored = (score.schema(case).empty_table() if stored is None else stored).to_pandas()
    truth = dataset.joined(case, lake, sorted(scored["partition"].unique()))[[*by, case.label.column]]
    rows = scored.merge(truth, on=by, how="inner", validate="one_to_one")
    known = rows[rows[case.label.column].notna() & rows["score"].notna()].reset_index(drop=True)
    dates = calendar(case)
    months = {key: f"{dates.at(key).start.astimezone(dates.zone):%Y-%m}" for key in known["partition"].unique()}
    return known.assign(earned=earned(case, known), month=known["partition"].map(months))


def earned(case: UseCase, rows: "DataFrame") -> Array:
    """Value of each row's decision by the spec's value matrix, or what its error cost (n,)."""
    y, value = rows[case.label.column].to_numpy(float), case.problem.value
    if value is None:
        numbers, metric = rows["score"].to_numpy(float), worth(case)
        return np.array([metric(y[n : n + 1], numbers[n : n + 1]) for n in range(len(rows))])
    acted, right = rows["acted"].to_numpy(bool), came_true(case, y)
    if_acted = np.where(right, value.true_positive, value.false_positive)
    return np.asarray(np.where(acted, if_acted, np.where(right, value.false_negative, value.true_negative)), float)


def quality(case: UseCase, rows: "DataFrame") -> dict[str, float]:
    """The two metrics that are watched first of the use case's kind; nan where one is undefined."""
    y, p = rows[case.label.column].to_numpy(float), _predicted(case, rows)
    return {name: METRICS[name](y, p) if len(rows) else math.nan for name in WATCHED[case.problem.kind][:2]}


def by_month(case: UseCase, rows: "DataFrame") -> dict[str, dict[str, float]]:
    """The same month by month, with the mean value of a row."""
    return {
        str(month): {**quality(case, own), "value": float(own["earned"].mean()), "rows": len(own)}
        for month, own in rows.groupby("month")
    }


def _predicted(case: UseCase, rows: "DataFrame") -> Array:
    if not case.label.classes:
        return rows["score"].to_numpy(float)
    given = [json.loads(row) for row in rows["probabilities"]]
    return np.array([[row[name] for name in case.label.classes] for row in given]).reshape(len(rows), -1)

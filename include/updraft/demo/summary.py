"""What came of it: read off the lake, the ledger and Airflow's own record of its tasks."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import TYPE_CHECKING, Any

from updraft import dataset, ingest, score
from updraft.evidence.metrics import METRICS
from updraft.lake import Lake
from updraft.ledger import Ledger, Record
from updraft.local.airflow_api import AirflowApi
from updraft.model import store
from updraft.partition import calendar
from updraft.spec.model import UseCase

if TYPE_CHECKING:
    from pandas import DataFrame


@dataclass(frozen=True)
class Summary:
    """The demo in numbers.

    :param scored: Rows scored in the daily part, `refused` more were not.
    :param quarantined: Rows in quarantine over all sources.
    :param champion: Metrics of the scores as given, on the daily rows whose labels have matured.
    :param frozen: Metrics the first champion would have had on the same rows.
    :param matured: Number of these rows.
    """

    partitions: int
    scored: int
    refused: int
    acted: int
    quarantined: int
    champion: dict[str, float]
    frozen: dict[str, float]
    matured: int
    decisions: Sequence[Record]


@dataclass(frozen=True)
class Timing:
    """Where the time went.

    :param seconds: Seconds of tasks per stage.
    :param tasks: Warm tasks measured.
    :param overhead: Median seconds a warm task spent outside its own work: around it, and in the gap before it.
    """

    seconds: dict[str, float]
    tasks: int
    overhead: float


def summarise(case: UseCase, lake: Lake, first: str, last: str) -> Summary:
    """Count and measure the partitions from `first` to `last`."""
    keys = calendar(case).keys(first, last)
    counted = score.reconcile(case, keys, lake)
    records = Ledger(lake, case.name).records()
    frozen, given = _side_by_side(case, lake, keys, next(r.model for r in records if r.kind == "promoted") or "")
    return Summary(
        partitions=len(keys),
        scored=counted.scored,
        refused=counted.refused,
        acted=counted.acted,
        quarantined=sum(_quarantined(case, lake, source) for source in case.sources),
        champion=given[0],
        frozen=frozen[0],
        matured=given[1],
        decisions=records,
    )


def _quarantined(case: UseCase, lake: Lake, source: str) -> int:
    rows = lake.read(ingest.quarantine_table(case, source), columns=["partition"])
    return 0 if rows is None else len(rows)


def _side_by_side(
    case: UseCase, lake: Lake, keys: Sequence[str], first_model: str
) -> tuple[tuple[dict[str, float], int], tuple[dict[str, float], int]]:
    """Metrics of the first champion and of the scores as given, on the same matured rows."""
    by, label = ["partition", *case.entity], case.label.column
    at = calendar(case).at(keys[-1])
    mature = calendar(case).last_mature(at.as_of)
    ripe = [key for key in keys if mature is not None and key <= mature.key]
    dataset.mature_labels(case, ripe, lake)
    stored = score.read(case, ripe, lake)
    assert stored is not None
    rows = dataset.joined(case, lake, ripe).merge(stored.to_pandas()[[*by, "score"]], on=by, how="left")
    rows = rows[rows[label].notna() & rows["score"].notna()]
    frozen = store.load(lake, case.name, first_model).predict(rows)
    return (_measured(rows, label, frozen), len(rows)), (
        _measured(rows, label, rows["score"].to_numpy(float)),
        len(rows),
    )


def _measured(rows: "DataFrame", label: str, p: Any) -> dict[str, float]:
    y = rows[label].to_numpy(float)
    return {name: METRICS[name](y, p) for name in ("auc", "brier", "log_loss")}


def timing(api: AirflowApi, case: UseCase, runs: Sequence[tuple[str, str]], warm_from: int) -> Timing:
    """Add up the tasks of runs; those from place `warm_from` on are warm.

    Overhead is what Airflow adds: a task's time less its own work, and the gap since what it waited for.
    """
    seconds: dict[str, float] = {}
    overheads: list[float] = []
    upstream = {stage: api.upstream(f"{case.name}__{stage}") for stage in {stage for stage, _ in runs}}
    began = {(run["dag_id"], run["dag_run_id"]): str(run["start_date"]) for run in api.every_run()}
    tasks: dict[tuple[str, str], dict[str, dict[str, Any]]] = {}
    for task in api.every_task():
        tasks.setdefault((task["dag_id"], task["dag_run_id"]), {})[task["task_id"]] = task
    for place, (stage, run_id) in enumerate(runs):
        run = (f"{case.name}__{stage}", run_id)
        for task in tasks[run].values():
            seconds[stage] = seconds.get(stage, 0.0) + (task["duration"] or 0.0)
            if place >= warm_from and task["state"] == "success":
                work = api.work_seconds(*run, task["task_id"])
                waited_for = [tasks[run][name]["end_date"] for name in upstream[stage][task["task_id"]]]
                overheads.append(_overhead(task, work, [began[run], *filter(None, waited_for)]))
    known = [value for value in overheads if not math.isnan(value)]
    return Timing(seconds, len(known), median(known) if known else math.nan)


def _overhead(task: dict[str, Any], work: float | None, waited_for: Sequence[str]) -> float:
    """Seconds around a task's own work, and since the last thing it waited for; nan when it does not tell its work."""
    if work is None:
        return math.nan
    last = max(waited_for, key=datetime.fromisoformat)
    gap = (datetime.fromisoformat(task["start_date"]) - datetime.fromisoformat(last)).total_seconds()
    return max(0.0, float(task["duration"]) - work) + max(0.0, gap)

"""Airflow as a client sees it, played from memory: runs that end as the test says, and follow one another by assets."""

from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

from tests.plugins.served import Request

FOLLOWS = {"ingest": "features", "features": "score", "score": "monitor"}
BEGAN = "2026-01-01T00:00:10+00:00"


@dataclass
class Airflow:
    """Answers the requests of `AirflowApi`.

    :param inbox: Where a broken delivery of outcomes is looked for; its run fails.
    :param incidents: Partitions at which the monitor finds one, and the action that is decided, with its `/kind`.
    :param fails: Stage of which every run fails.
    :param deaf: Stage that no asset wakes.
    """

    inbox: Path
    incidents: dict[str, str] = field(default_factory=dict)
    fails: str = ""
    deaf: str = ""
    runs: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    asked: list[tuple[str, str | None, dict[str, Any]]] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)

    def answer(self, request: Request) -> tuple[int, Any]:
        with self.lock:
            match request.method, *request.path.removeprefix("/api/v2/").split("/"):
                case "POST", "dags", dag, "dagRuns":
                    return 200, {"dag_run_id": self._trigger(dag.split("__")[1], **request.body)}
                case "GET", "dags", "~", "dagRuns":
                    newest_first = request.query["order_by"].startswith("-")
                    return 200, {"dag_runs": _page([*self.runs.values()][:: -1 if newest_first else 1], request)}
                case "GET", "dags", "~", "dagRuns", "~", "taskInstances":
                    tasks = [task for stage, run_id in self.runs for task in self._tasks(stage, run_id)]
                    return 200, {"task_instances": _page(tasks, request)}
                case "GET", "dags", dag, "dagRuns", run_id:
                    return 200, self.runs[dag.split("__")[1], run_id]
                case "GET", "dags", dag, "dagRuns", run_id, "taskInstances":
                    return 200, {"task_instances": self._tasks(dag.split("__")[1], run_id)}
                case "GET", "dags", dag, "dagRuns", run_id, "taskInstances", task, "xcomEntries", key:
                    return self._xcom(dag.split("__")[1], run_id, task, key)
                case "GET", "dags", _, "dagRuns", _, "taskInstances", task, "logs", attempt:
                    return 200, {"content": [{"event": f"{task} broke in attempt {attempt}"}]}
                case "GET", "dags", dag, "tasks":
                    return 200, {"tasks": self._shape(dag.split("__")[1])}
        return 404, {"detail": request.path}

    def _trigger(
        self, stage: str, *, dag_run_id: str, partition_key: str | None, conf: dict[str, Any], **_when: str | None
    ) -> str:
        self.asked.append((stage, partition_key, conf))
        return self._run(stage, dag_run_id, partition_key or "")

    def _run(self, stage: str, run_id: str, key: str) -> str:
        state = "failed" if stage == self.fails or self._spoilt(stage, key) else "success"
        self.runs[stage, run_id] = {
            "dag_id": f"flight_delays__{stage}",
            "dag_run_id": run_id,
            "state": state,
            "partition_key": key,
            "start_date": BEGAN,
        }
        if state == "success" and key:
            self._wake(stage, key)
        return run_id

    def _wake(self, stage: str, key: str) -> None:
        if (woken := FOLLOWS.get(stage)) and woken != self.deaf:
            self._run(woken, f"asset__{woken}__{key}__{len(self.runs)}", key)
        if stage == "monitor" and key in self.incidents:
            self._run("retrain", f"asset__retrain__{key}__{len(self.runs)}", key)
            if self.incidents[key] == "retrain":
                self._run("train", f"retrain__{key}", "")

    def _spoilt(self, stage: str, key: str) -> bool:
        spoilt = {"outcomes": "#REF!", "schedule": "destination"}
        files = {self.inbox / "flight_delays" / source / f"{key}.csv": mark for source, mark in spoilt.items()}
        return stage == "ingest" and any(file.exists() and mark in file.read_text() for file, mark in files.items())

    def _tasks(self, stage: str, run_id: str) -> list[dict[str, Any]]:
        run = self.runs[stage, run_id]
        states = {"outcomes.publish": run["state"], "build": run["state"], "score": run["state"]}
        states["incident"] = "success" if run["partition_key"] in self.incidents else "skipped"
        whose = {"dag_id": run["dag_id"], "dag_run_id": run_id}
        times = {"try_number": 2, "duration": 2.0, "start_date": BEGAN, "end_date": BEGAN}
        return [{"task_id": task, "state": state, **whose, **times} for task, state in states.items()]

    def _xcom(self, stage: str, run_id: str, task: str, key: str) -> tuple[int, Any]:
        if key == "work_seconds":
            return (200, {"value": 1.5}) if task in ("build", "score") else (404, {"detail": "none"})
        run = self.runs[stage, run_id]
        said = self.incidents.get(run["partition_key"], "none").partition("/")[::2]
        values = {
            "fit": {"family": "lightgbm", "candidate": "c0ffee" * 8},
            "promote": {"outcome": "promoted", "why": "PASS, all 3 gates"},
            "outcomes.publish": {"late": {"policy": "keep", "features": run["partition_key"], "labels": "none"}},
            "decide": {"action": said[0], "because": "the scores moved", "kind": said[1] or "prediction_drift"},
        }
        return 200, {"value": values[task]}

    def _shape(self, stage: str) -> list[dict[str, Any]]:
        order = ["outcomes.publish", "build", "score", "incident"]
        return [{"task_id": task, "downstream_task_ids": order[n + 1 : n + 2]} for n, task in enumerate(order)]


def _page(rows: list[dict[str, Any]], request: Request) -> list[dict[str, Any]]:
    offset = int(request.query.get("offset", 0))
    return rows[offset : offset + int(request.query["limit"])]

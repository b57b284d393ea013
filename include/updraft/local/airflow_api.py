"""Airflow's REST API, as much of it as a demo and a test need."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, cast

import httpx
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from updraft.errors import Permanent, Transient

ENDED = {"success", "failed"}
PAGE = 100  # the most Airflow returns at once


class AirflowApi:
    """A signed-in client.

    :param url: Where Airflow's UI is served.
    :param password: Of the user `admin`.
    """

    def __init__(self, url: str, password: str) -> None:
        self._http = httpx.Client(base_url=url, timeout=30)
        self._password = password

    def healthy(self) -> bool:
        """Whether the API answers and the scheduler has reported to it."""
        try:
            state = self._http.get("/api/v2/monitor/health").json()
        except (httpx.HTTPError, ValueError):
            return False
        return all(
            state.get(part, {}).get("status") == "healthy" for part in ("metadatabase", "scheduler", "dag_processor")
        )

    def dag_ids(self) -> set[str]:
        """Ids of the DAGs Airflow knows."""
        return {dag["dag_id"] for dag in self._get("/dags", limit=1000)["dags"]}

    def trigger(
        self, dag_id: str, *, run_id: str, partition: str | None = None, conf: dict[str, Any] | None = None
    ) -> str:
        """Start a run with this id, unless there is one; return the id."""
        # SQLite's clock knows whole seconds: a run of this very moment would wait until the next begins.
        due = (datetime.now(UTC) - timedelta(seconds=1)).isoformat()
        asked = {"run_after": due, "partition_key": partition, "conf": conf or {}}
        body = {"logical_date": None, "dag_run_id": run_id, **asked}
        self._call("POST", f"/dags/{dag_id}/dagRuns", json=body, but={409})
        return run_id

    def run(self, dag_id: str, run_id: str) -> dict[str, Any]:
        """One run."""
        return self._get(f"/dags/{dag_id}/dagRuns/{run_id}")

    def newest(self, limit: int) -> list[dict[str, Any]]:
        """The runs of all DAGs that were made last, newest first."""
        return list(self._get("/dags/~/dagRuns", order_by="-id", limit=limit)["dag_runs"])

    def every_run(self) -> Iterator[dict[str, Any]]:
        """All runs of all DAGs."""
        yield from self._pages("/dags/~/dagRuns", "dag_runs")

    def every_task(self) -> Iterator[dict[str, Any]]:
        """Task instances of all runs."""
        yield from self._pages("/dags/~/dagRuns/~/taskInstances", "task_instances")

    def tasks(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        """Task instances of a run."""
        return list(self._get(f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances", limit=100)["task_instances"])

    def xcom(self, dag_id: str, run_id: str, task_id: str, key: str = "return_value") -> Any:
        """What a task returned."""
        path = f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/xcomEntries/{key}"
        return self._get(path, deserialize=True)["value"]

    def work_seconds(self, dag_id: str, run_id: str, task_id: str) -> float | None:
        """Seconds a task says it worked, `None` when it did not say."""
        path = f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/xcomEntries/work_seconds"
        found = self._call("GET", path, params={"deserialize": True}, but={404})
        return float(found["value"]) if "value" in found else None

    def upstream(self, dag_id: str) -> dict[str, list[str]]:
        """Ids of the tasks each task waits for."""
        tasks = self._get(f"/dags/{dag_id}/tasks")["tasks"]
        return {
            task["task_id"]: [other["task_id"] for other in tasks if task["task_id"] in other["downstream_task_ids"]]
            for task in tasks
        }

    def log(self, dag_id: str, run_id: str, task_id: str, attempt: int = 1) -> str:
        """Text of a task's log."""
        found = self._get(f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/logs/{attempt}", full_content=True)
        return "\n".join(_told(line) for line in found["content"] if isinstance(line, dict))

    def make_pool(self, name: str, slots: int) -> None:
        """Make a pool, unless there is one."""
        self._call("POST", "/pools", json={"name": name, "slots": slots}, but={409})

    def _get(self, path: str, **query: object) -> dict[str, Any]:
        return self._call("GET", path, params=query)

    def _pages(self, path: str, what: str) -> Iterator[dict[str, Any]]:
        for offset in count(0, PAGE):
            page = self._get(path, order_by="id", limit=PAGE, offset=offset)[what]
            yield from page
            if len(page) < PAGE:
                return

    # SQLite lets one writer in at a time: under load a request can meet a locked database.
    @retry(
        retry=retry_if_exception_type(Transient),
        wait=wait_random_exponential(0.3, 3),
        stop=stop_after_attempt(6),
        reraise=True,
    )
    def _call(
        self, method: str, path: str, *, but: frozenset[int] | set[int] = frozenset(), **how: Any
    ) -> dict[str, Any]:
        try:
            answer = self._http.request(method, f"/api/v2{path}", **how)
            if answer.status_code == httpx.codes.UNAUTHORIZED:
                self._sign_in()
                answer = self._http.request(method, f"/api/v2{path}", **how)
        except httpx.HTTPError as fault:
            raise Transient(
                f"Airflow did not answer {path}: {fault}", next_step="look whether it is running."
            ) from fault
        if answer.is_error and answer.status_code not in but:
            kind = Transient if answer.is_server_error else Permanent
            raise kind(
                f"Airflow answered {answer.status_code} to {method} {path}: {answer.text[:300]}",
                next_step="read .updraft/logs/api-server.log.",
            )
        return cast("dict[str, Any]", answer.json())

    def _sign_in(self) -> None:
        answer = self._http.post("/auth/token", json={"username": "admin", "password": self._password})
        if answer.is_error:
            raise Permanent(
                f"Airflow refused the password of `admin` ({answer.status_code}).",
                next_step="look into passwords.json below the installation's folder; another Airflow may listen there.",
            )
        self._http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"


def _told(line: dict[str, Any]) -> str:
    """A line of a log, with the messages of the errors it carries."""
    return "\n".join([str(line.get("event", line)), *(str(e.get("exc_value")) for e in line.get("error_detail") or [])])

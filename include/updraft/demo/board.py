"""What Airflow says of its newest runs, asked once for all who want to know."""

import time
from collections.abc import Mapping
from threading import Lock
from typing import Any

from updraft.local.airflow_api import AirflowApi
from updraft.local.processes import Processes

NEWEST = 50  # runs a look returns; one that is older is asked for by itself


class Board:
    """The newest runs of all DAGs, by DAG id and run id, newest first.

    A look costs the API server time that tasks need, so those who ask within `glance` seconds share one.

    :param processes: What has to be alive for a run ever to end.
    """

    def __init__(self, api: AirflowApi, processes: Processes, *, glance: float) -> None:
        self._api, self._processes, self._glance = api, processes, glance
        self._lock = Lock()
        self._seen: Mapping[tuple[str, str], dict[str, Any]] = {}
        self._looked = -glance

    def state(self, dag_id: str, run_id: str) -> str:
        """State of a run."""
        run = self.newest().get((dag_id, run_id))
        return str((run or self._api.run(dag_id, run_id))["state"])

    def newest(self) -> Mapping[tuple[str, str], dict[str, Any]]:
        """Wait until the next look is due, and look, or take what another thread has seen by then.

        :raises Permanent: If a process has ended.
        """
        asked = time.monotonic()
        with self._lock:
            if self._looked < asked:
                time.sleep(max(0.0, self._looked + self._glance - time.monotonic()))
                self._processes.check()
                self._seen = {(run["dag_id"], run["dag_run_id"]): run for run in self._api.newest(NEWEST)}
                self._looked = time.monotonic()
            return self._seen

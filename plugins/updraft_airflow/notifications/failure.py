"""The callback of every task of Updraft that failed for good."""

from datetime import UTC, datetime
from typing import Any

from airflow.sdk import BaseNotifier, Context
from airflow.sdk.exceptions import AirflowSensorTimeout


class FailureNotifier(BaseNotifier):
    """
    Tell what failed, to whom the use case's spec says.

    What cannot be sent now waits in the lake for the next task `tell`.

    :param use_case: Folder under ``include/use_cases``.
    """

    def __init__(self, *, use_case: str) -> None:
        super().__init__()
        self.use_case = use_case

    def notify(self, context: Context) -> None:
        """Keep what failed, then send what waits."""
        from updraft.life.findings.failures import Failure, failure
        from updraft_airflow.tell import partitions_of, tell

        said: dict[str, Any] = {**context}
        task, instance, run = said["task"], said["ti"], said["dag_run"]
        keys = partitions_of(self.use_case, run.partition_key, run.conf)
        error = said.get("exception")
        found = failure(
            Failure(
                dag=instance.dag_id,
                task=instance.task_id,
                run=run.run_id,
                day=datetime.now(UTC).date(),
                partitions=keys,
                source=getattr(task, "source", None),
                error=error if isinstance(error, BaseException) else None,
                waited=isinstance(error, AirflowSensorTimeout),
                log=str(getattr(instance, "log_url", "") or ""),
            )
        )
        told = tell(self.use_case, [found] if found else [], keys)
        self.log.info("told: %s", told.summary())

"""Sweep: is there a hole in the sequence of partitions, and can it be filled now?"""

from typing import Any

from airflow.sdk import Context

from updraft.settings import Settings
from updraft_airflow.hooks.source import connection
from updraft_airflow.operators.stage import StageOperator
from updraft_airflow.outcomes import airflow_outcomes

MOST = 24  # runs started per sweep; the newest holes come first, and the next sweep goes on


class FindHolesOperator(StageOperator):
    """
    Look for partitions that a stage has left out, and say which runs would fill them.

    :return: Arguments of a ``TriggerDagRunOperator`` per run; the same sweep gives the same run ids.
    """

    def execute(self, context: Context) -> list[dict[str, Any]]:
        """Look, log every hole, return those that can be filled."""
        from updraft.life import sweep

        with airflow_outcomes():
            inbox = Settings.from_env().inbox
            found = sweep.holes(self.case, self.lake, inbox, self.at, connections=connection)
        for line in sweep.told(found) or ["there is no hole"]:
            self.log.info("%s: %s", self.use_case, line)
        ready = sorted((hole for hole in found if not hole.waits_for), key=lambda hole: hole.partition, reverse=True)
        return [self._run(hole.stage, hole.partition) for hole in ready[:MOST]]

    def _run(self, stage: str, partition: str) -> dict[str, Any]:
        return {
            "trigger_dag_id": f"{self.use_case}__{stage}",
            "trigger_run_id": f"sweep__{self.at}__{partition}",
            "conf": {"partition": partition},
        }

"""Drill: does the monitor see a fault that is known?"""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowSkipException

from updraft_airflow.operators.stage import StageOperator
from updraft_airflow.outcomes import airflow_outcomes


class DrillOperator(StageOperator):
    """
    Put known faults into copies of the newest scored partitions, and fail when the monitor misses one.

    Skipped while there is nothing to watch.

    :return: ``{"partition", "outcome", "exercises"}``.
    """

    def execute(self, context: Context) -> dict[str, Any]:
        """Drill, and keep the record in the lake."""
        from updraft import drill

        with airflow_outcomes(), TemporaryDirectory(prefix="updraft-drill-") as folder:
            case, lake = self.case, self.lake
            at = drill.newest(case, lake, self.at)
            if at is None:
                raise AirflowSkipException(f"nothing of {case.name} is watched yet")
            done = drill.drill(case, at, lake, Path(folder))
            for line in done.told():
                self.log.info("%s: %s", case.name, line)
            done.demand()
        return done.summary()

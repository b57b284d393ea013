"""Monitor: what moved, how well did the champion do, and does it last?"""

from typing import Any

from airflow.sdk import Context

from updraft_airflow import assets
from updraft_airflow.links import MonitoringLink
from updraft_airflow.operators.stage import ForkOperator, StageOperator, announce
from updraft_airflow.outcomes import airflow_outcomes


class MeasureOperator(ForkOperator):
    """
    Join what came true, measure drift and performance; skip the incident task unless one is due.

    :param incident: Id of the task that records an incident.
    :return: ``{"partition", "champion", "alarms", "incident", "others", "over", "labels"}``.
    """

    operator_extra_links = (MonitoringLink(),)
    reads = ("features", "scores", "labels")
    writes = ("monitor", "labels")

    def __init__(self, *, incident: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.incident = incident

    def execute(self, context: Context) -> dict[str, Any]:
        """Write matured labels and the partition's rows of the monitor table."""
        from updraft.life import monitor

        with airflow_outcomes():
            case, lake = self.case, self.lake
            labels = monitor.mature(case, self.at, lake)
            watched = monitor.watch_partitions(case, self.keys, lake).summary()
        return self.fork(context, {**watched, "labels": labels}, self.incident if watched["due"] else None)


class IncidentOperator(StageOperator):
    """
    Record what opened as incidents and what is over as resolved, and announce it.

    It is announced again every few partitions while it lasts, so a lost event is made up for.

    :return: ``{"opened", "resolved"}``, identities each.
    """

    def execute(self, context: Context) -> dict[str, Any]:
        """Record and announce."""
        from updraft.life import monitor

        with airflow_outcomes():
            told = monitor.settle(self.case, self.at, self.lake, who=context["run_id"])
        announce(context, assets.incident(self.case), [self.at.key])
        return told

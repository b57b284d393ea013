"""Arrivals: which of the partitions that an event names can be ingested now?"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from airflow.sdk import BaseOperator, Context

from updraft.arrivals.arrival import shown
from updraft.settings import Settings
from updraft.spec import load
from updraft.spec.model import UseCase
from updraft_airflow import assets, conventions
from updraft_airflow.hooks.lake import LakeHook
from updraft_airflow.hooks.source import connection
from updraft_airflow.outcomes import airflow_outcomes

MOST = 500  # Airflow maps no more than `core.max_map_length` tasks; what is left over, the clock and the sweep bring


class ReadyOperator(BaseOperator):
    """
    Hold what the events of a run name against spec, sources and lake.

    :param use_case: Folder under ``include/use_cases``.
    :param lake_conn_id: Airflow connection of the lake.
    :return: Arguments of a ``TriggerDagRunOperator`` per partition that can be ingested.
    """

    template_fields: Sequence[str] = ("use_case",)

    def __init__(self, *, use_case: str, lake_conn_id: str = conventions.LAKE, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.use_case = use_case
        self.lake_conn_id = lake_conn_id

    def execute(self, context: Context) -> list[dict[str, Any]]:
        """Look, log what is left out, return the rest."""
        with airflow_outcomes():
            case = load.load(self.use_case)
            ready, left = self._sorted(case, _payloads(case, context))
        self.log.info("%s: left out %s", self.use_case, shown(left))
        return [self._run(context["run_id"], partition) for partition in ready]

    def _sorted(self, case: UseCase, payloads: Iterator[object]) -> tuple[list[str], list[str]]:
        """Partitions that can be ingested now, and why the others are left out."""
        from updraft.arrivals.named import named
        from updraft.arrivals.ready import ready

        heard, lake, inbox = named(payloads, case), LakeHook(self.lake_conn_id).get_conn(), Settings.from_env().inbox
        newest = sorted({arrival.partition for arrival in heard.arrivals})[-MOST:]
        waits = ready(case, newest, lake, inbox, datetime.now(UTC), connections=connection)
        left = [f"{partition} waits for {what}" for partition, what in waits.items() if what]
        return [partition for partition, what in waits.items() if not what], [*heard.dropped, *left]

    def _run(self, woken_by: str, partition: str) -> dict[str, Any]:
        return {
            "trigger_dag_id": f"{self.use_case}__ingest",
            "trigger_run_id": f"arrived__{partition}__{woken_by}",
            "conf": {"partition": partition},
        }


def _payloads(case: UseCase, context: Context) -> Iterator[object]:
    # Asked for by name: iterating over the mapping fails for an asset whose URI Airflow writes in another way.
    for asset in assets.arrivals(case).objects:
        yield from (event.extra.get("payload") for event in context["triggering_asset_events"].get(asset, ()))

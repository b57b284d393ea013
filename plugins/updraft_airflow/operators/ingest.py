"""Ingest: land a source's deliveries, hold them against their contract, publish what passes."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.sdk import Context

from updraft.settings import Settings
from updraft.spec.model import UseCase
from updraft_airflow import assets, lineage
from updraft_airflow.hooks.source import connection
from updraft_airflow.lineage import Place
from updraft_airflow.links import DataReportLink
from updraft_airflow.operators.stage import StageOperator, announce
from updraft_airflow.outcomes import airflow_outcomes

if TYPE_CHECKING:
    from updraft.lake import Lake


class IngestOperator(StageOperator):
    """
    Land, validate and publish the deliveries of one source.

    The three steps share the decoded rows. Each is kept in the lake and idempotent, so a retry goes on where the last
    attempt ended. Fails when a delivery is blocked; its bad rows and the report are in the lake by then.

    :param source: Name of a source in the use case's spec (templated).
    :return: ``{"rows", "quarantined", …}``.
    """

    template_fields: Sequence[str] = (*StageOperator.template_fields, "source")
    operator_extra_links = (DataReportLink(),)

    def __init__(self, *, source: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.source = source

    def moved(self, case: UseCase, lake: "Lake") -> tuple[tuple[Place, ...], tuple[Place, ...]]:
        """From the source into its raw table."""
        return lineage.delivery(case, lake, self.source)

    def execute(self, context: Context) -> dict[str, Any]:
        """Publish whole partitions and announce them."""
        from updraft import ingest

        with airflow_outcomes():
            case, keys = self.case, self.keys
            inbox = Settings.from_env().inbox
            published = ingest.stage(case, self.source, keys, self.lake, inbox, connections=connection)
        announce(context, assets.raw(case, self.source), keys)
        return published.summary()

"""Features: what was known about the rows of this partition?"""

from typing import Any

from airflow.sdk import Context

from updraft_airflow import assets
from updraft_airflow.links import DataReportLink
from updraft_airflow.operators.stage import StageOperator, announce
from updraft_airflow.outcomes import airflow_outcomes


class BuildFeaturesOperator(StageOperator):
    """
    Compute the features of partitions as of their moments.

    Partitions for which rows came late stay as computed, or are computed anew, as the spec says.

    :return: ``{"partitions", "rows", "fingerprint", "version"}``, and which were kept or rebuilt.
    """

    reads = ("raw",)
    writes = ("features",)

    operator_extra_links = (DataReportLink(),)

    def execute(self, context: Context) -> dict[str, Any]:
        """Build, check against the spec, commit whole, announce."""
        from updraft.life import features

        with airflow_outcomes():
            case, keys = self.case, self.keys
            built = features.build(case, keys, self.lake)
        announce(context, assets.features(case), keys)
        return built

"""Features: what was known about the rows of this partition?"""

from dataclasses import asdict
from typing import Any

from airflow.sdk import Context

from updraft_airflow import assets
from updraft_airflow.operators.stage import StageOperator, announce
from updraft_airflow.outcomes import airflow_outcomes


class BuildFeaturesOperator(StageOperator):
    """
    Compute the features of partitions as of their moments.

    :return: ``{"partitions", "rows", "fingerprint", "version"}``.
    """

    def execute(self, context: Context) -> dict[str, Any]:
        """Build, check against the spec, commit whole, announce."""
        from updraft import features

        with airflow_outcomes():
            case, keys = self.case, self.keys
            built = features.build(case, keys, self.lake)
        announce(context, assets.features(case), keys)
        return asdict(built)

"""Features: what was known about the rows of this partition, at its moment?

Runs when the raw rows of every source are in. Announces the features, which wakes the scores.
"""

from airflow.sdk import DAG, PartitionedAssetTimetable

from updraft.spec.model import UseCase
from updraft_airflow import assets, conventions, deadlines, declared, partitions
from updraft_airflow.operators.features import BuildFeaturesOperator


def features(case: UseCase) -> DAG:
    """Build as of the partition's moment, check, commit."""
    with DAG(
        schedule=PartitionedAssetTimetable(assets=assets.all_raw(case)),
        params=partitions.params(case),
        deadline=deadlines.stage(case, "features"),
        **conventions.dag(case, "features", __doc__),
    ) as dag:
        BuildFeaturesOperator(task_id="build", use_case=case.name, outlets=[assets.features(case)])
    return dag


globals().update(declared.dags("features", features))

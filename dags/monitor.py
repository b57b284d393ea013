"""Monitor: what moved, how well did the champion do on what came true, and does it last?

Runs when a partition's scores are in. Announces an incident while one lasts, which wakes the retrain controller.
"""

from airflow.sdk import DAG, PartitionedAssetTimetable

from updraft.spec.model import UseCase
from updraft_airflow import assets, conventions, declared, partitions
from updraft_airflow.operators.monitor import IncidentOperator, MeasureOperator


def monitor(case: UseCase) -> DAG:
    """Join what came true, measure, say what lasts."""
    with DAG(
        schedule=PartitionedAssetTimetable(assets=assets.scores(case)),
        params=partitions.params(case),
        **conventions.dag(case, "monitor", __doc__),
    ) as dag:
        watched = MeasureOperator(task_id="measure", use_case=case.name, incident="incident")
        IncidentOperator(
            task_id="incident", use_case=case.name, watched=watched.output, outlets=[assets.incident(case)]
        )
    return dag


globals().update(declared.dags("monitor", monitor))

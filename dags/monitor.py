"""Monitor: what moved, how well did the champion do on what came true, and does it last?

Runs when a partition's scores are in. Announces an incident while one lasts and when it is over, which wakes the
retrain controller. Where the spec has a rollout, lets a challenger rise or fall by what came true.
"""

from airflow.sdk import DAG, PartitionedAssetTimetable

from updraft.spec.model import UseCase
from updraft_airflow import assets, conventions, declared, partitions
from updraft_airflow.operators.monitor import IncidentOperator, MeasureOperator
from updraft_airflow.operators.rollout import RolloutOperator
from updraft_airflow.operators.tell import at_the_end


def monitor(case: UseCase) -> DAG:
    """Join what came true, measure, say what lasts."""
    with DAG(
        schedule=PartitionedAssetTimetable(assets=assets.scores(case)),
        params=partitions.params(case),
        **conventions.dag(case, "monitor", __doc__),
    ) as dag:
        watched = MeasureOperator(task_id="measure", use_case=case.name, incident="incident")
        watched >> IncidentOperator(task_id="incident", use_case=case.name, outlets=[assets.incident(case)])
        if case.rollout.staged:
            RolloutOperator(task_id="rollout", use_case=case.name, outlets=[assets.champion(case)])
        at_the_end(dag, case)
    return dag


globals().update(declared.dags("monitor", monitor))

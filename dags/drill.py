"""Drill: does the monitor see a fault that is known, and nothing beside it?

Runs once a week; by hand for a history that has an end. Puts drift, a broken feed, a label outage and a loss of
performance into copies of the newest scored partitions. Fails when an alarm that should fire does not.
"""

from airflow.sdk import DAG

from updraft.spec.model import UseCase
from updraft_airflow import conventions, declared, partitions
from updraft_airflow.operators.drill import DrillOperator

WEEKLY = "0 4 * * 1"


def drill(case: UseCase) -> DAG:
    """Drill the monitor."""
    with DAG(
        schedule=partitions.ticks(case, WEEKLY),
        params=partitions.moment(case),
        **conventions.dag(case, "drill", __doc__),
    ) as dag:
        DrillOperator(task_id="drill", use_case=case.name)
    return dag


globals().update(declared.dags("drill", drill))

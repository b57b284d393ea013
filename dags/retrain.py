"""Retrain: is there anything to do about the model, and is training the thing to do?

Runs while an incident lasts, once a day whatever happens, and when a person or another system asks, who may say why.
Decides one thing from what lake and ledger hold, records it with its reason, and then starts a training, rolls back, or
does nothing. Broken data it reports as an incident and never trains on.
"""

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import DAG, Param, PartitionedAssetTimetable

from updraft.spec.model import UseCase
from updraft_airflow import assets, conventions, declared, partitions
from updraft_airflow.operators.retrain import DecideOperator, RollBackOperator
from updraft_airflow.operators.tell import at_the_end


def retrain(case: UseCase) -> DAG:
    """Decide, then act on the decision."""
    reason = Param(
        None,
        type=["null", "string"],
        title="Reason",
        maxLength=500,
        description="What happened outside. Kept with the decision; it decides nothing.",
    )
    with DAG(
        schedule=PartitionedAssetTimetable(assets=assets.incident(case)),
        params={**partitions.moment(case), "reason": reason},
        **conventions.dag(case, "retrain", __doc__),
    ) as dag:
        actions = {"retrain": "train", "roll_back": "roll_back"}
        decided = DecideOperator(task_id="decide", use_case=case.name, actions=actions)
        decided >> TriggerDagRunOperator(
            task_id=actions["retrain"],
            trigger_dag_id=f"{case.name}__train",
            trigger_run_id=f"retrain__{partitions.PARTITION}",  # one training per partition, however often this runs
            logical_date=None,
            conf={"partition": partitions.PARTITION},
            skip_when_already_exists=True,
        )
        RollBackOperator(task_id=actions["roll_back"], use_case=case.name, decision=decided.output)
        at_the_end(dag, case)
    return dag


globals().update(declared.dags("retrain", retrain))

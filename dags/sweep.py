"""Sweep: is there a hole in the sequence of partitions, and can it be filled now?

Runs once a day; by hand for a history that has an end. Starts the stages whose input is there for a partition that
they have left out: an event that was lost, a run that failed, a delivery that came after its sensor gave up. Puts
MLflow's alias back if somebody moved it. Has the retrain controller look at the model, so that no event is needed.
"""

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import DAG

from updraft.spec.model import UseCase
from updraft_airflow import conventions, declared, partitions
from updraft_airflow.operators.alias import RepairAliasOperator
from updraft_airflow.operators.sweep import FindHolesOperator
from updraft_airflow.operators.tell import at_the_end

DAILY = "0 3 * * *"


def sweep(case: UseCase) -> DAG:
    """Look for holes, then start a run for each that can be filled."""
    with DAG(
        schedule=partitions.ticks(case, DAILY),
        params=partitions.moment(case),
        **conventions.dag(case, "sweep", __doc__),
    ) as dag:
        found = FindHolesOperator(task_id="look", use_case=case.name)
        TriggerDagRunOperator.partial(task_id="fill", logical_date=None, skip_when_already_exists=True).expand_kwargs(
            found.output
        )
        TriggerDagRunOperator(
            task_id="consider",
            trigger_dag_id=f"{case.name}__retrain",
            trigger_run_id=f"sweep__{partitions.PARTITION}",
            logical_date=None,
            conf={"partition": partitions.PARTITION},
            skip_when_already_exists=True,
        )
        RepairAliasOperator(task_id="repair", use_case=case.name)
        at_the_end(dag, case)
    return dag


globals().update(declared.dags("sweep", sweep))

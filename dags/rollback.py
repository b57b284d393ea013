"""Rollback: is the champion to be replaced by the one before, now?

Runs by hand alone, in seconds. Goes back to the newest earlier champion that loads; it counts from the next scoring
run. Without one it fails and says so, and the champion stays.
"""

from airflow.sdk import DAG, Param

from updraft.spec.model import UseCase
from updraft_airflow import conventions, declared
from updraft_airflow.operators.rollback import RollBackByHandOperator
from updraft_airflow.operators.tell import at_the_end


def rollback(case: UseCase) -> DAG:
    """Act on what a person filled in."""
    form = {
        "reason": Param(
            type="string", title="Reason", minLength=3, maxLength=500, description="Kept for good, in the ledger."
        ),
        "leave": Param(
            None,
            type=["null", "string"],
            title="Leave",
            pattern="^[0-9a-f]{64}$",
            description="Digest of the champion to leave; another one is then left alone. Empty for whichever it is.",
        ),
    }
    with DAG(schedule=None, params=form, **conventions.dag(case, "rollback", __doc__)) as dag:
        RollBackByHandOperator(task_id="roll_back", use_case=case.name)
        at_the_end(dag, case)
    return dag


globals().update(declared.dags("rollback", rollback))

"""Train: what would be learnt from what is known now, and is it better than the champion?

Runs on the spec's schedule, by hand, or when the retrain controller decides so. Announces a promoted champion.
"""

from airflow.sdk import DAG, chain

from updraft.spec.model import UseCase
from updraft_airflow import assets, conventions, declared, partitions
from updraft_airflow.operators.approval import AskOperator
from updraft_airflow.operators.tell import at_the_end
from updraft_airflow.operators.train import (
    AnnounceChampionOperator,
    FitOperator,
    GateOperator,
    PrepareDatasetOperator,
    PromoteOperator,
)


def train(case: UseCase) -> DAG:
    """Prepare, fit, examine, ask a person where the spec says so, promote."""
    which = {"use_case": case.name}
    pooled = {**which, "pool": conventions.TRAINING_POOL, "execution_timeout": conventions.fitting(case)}
    schedule = case.retrain.cron and partitions.ticks(case, case.retrain.cron)
    common = conventions.dag(case, "train", __doc__)
    common["dagrun_timeout"] += case.rollout.approval_timeout  # or the run would end before its question does
    with DAG(schedule=schedule, params=partitions.moment(case), **common) as dag:
        prepared = PrepareDatasetOperator(task_id="dataset", **which)
        trained = FitOperator(task_id="fit", **pooled)
        gated = GateOperator(task_id="gates", trained=trained.output, **which)
        # A task's whole return value is handed on: `output["candidate"]` would be another XCom, which nobody pushes.
        promoted = PromoteOperator(task_id="promote", trained=trained.output, **which)
        if case.rollout.approval == "required":
            shown = {"trained": trained.output, "gated": gated.output}
            how = {"response_timeout": case.rollout.approval_timeout, **which}
            subject = f"Promote a new champion of {case.name}?"
            gated >> AskOperator(task_id="approval", subject=subject, **shown, **how) >> promoted
        announce = AnnounceChampionOperator(
            task_id="announce", promoted=promoted.output, outlets=[assets.champion(case)], **which
        )
        chain(prepared, trained, gated, promoted, announce)
        at_the_end(dag, case)
    return dag


globals().update(declared.dags("train", train))

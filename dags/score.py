"""Score: what does the champion say about the rows of this partition?

Runs when a partition's features are in. Announces the scores, which wakes the monitor.
"""

from airflow.sdk import DAG, Param, PartitionedAssetTimetable

from updraft.spec.model import UseCase
from updraft_airflow import assets, conventions, deadlines, declared, partitions
from updraft_airflow.operators.score import PinChampionOperator, ReconcileOperator, ScoreOperator


def score(case: UseCase) -> DAG:
    """Pin the champion, score, hold the result against the features."""
    rescore = Param(False, type="boolean", title="Rescore", description="Replace scores that stand there already.")
    with DAG(
        schedule=PartitionedAssetTimetable(assets=assets.features(case)),
        params={**partitions.params(case), "rescore": rescore},
        deadline=deadlines.stage(case, "scores"),
        **conventions.dag(case, "score", __doc__),
    ) as dag:
        champion = PinChampionOperator(task_id="pin_champion", use_case=case.name)
        scored = ScoreOperator(task_id="score", use_case=case.name, champion=champion.output)
        scored >> ReconcileOperator(task_id="reconcile", use_case=case.name, outlets=[assets.scores(case)])
    return dag


globals().update(declared.dags("score", score))

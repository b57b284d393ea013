"""Quarantine: what becomes of the rows that broke their contract?

Runs by hand alone. Replays what is held against today's spec, or records that it is never published. Announces the
raw rows of a partition that was blocked, which wakes the features.
"""

from airflow.sdk import DAG, Param, TaskGroup

from updraft.spec.model import UseCase
from updraft_airflow import assets, conventions, declared, partitions
from updraft_airflow.operators.quarantine import AnnounceRawOperator, QuarantineOperator


def quarantine(case: UseCase) -> DAG:
    """Act on what a person filled in."""
    sources = list(case.sources)
    form = {
        "action": Param(
            "replay",
            type="string",
            title="Action",
            enum=["replay", "discard"],
            description="Replay publishes what passes today's spec. Discard decides that held rows never are.",
        ),
        "source": Param(sources[0], type="string", title="Source", enum=sources),
        **partitions.params(case),
        "reason": Param(
            None,
            type=["null", "string"],
            title="Reason",
            maxLength=500,
            description="Kept for good. A discard needs one.",
        ),
        "rebuild": Param(
            False,
            type="boolean",
            title="Rebuild",
            description="After a replay, compute again the features and labels that could have seen the rows.",
        ),
    }
    with DAG(schedule=None, params=form, **conventions.dag(case, "quarantine", __doc__)) as dag:
        acted = QuarantineOperator(task_id="act", use_case=case.name)
        for source in sources:
            with TaskGroup(source):
                told = {"outlets": [assets.raw(case, source)], "source": source}
                acted >> AnnounceRawOperator(task_id="announce", use_case=case.name, **told)
    return dag


globals().update(declared.dags("quarantine", quarantine))

"""Ingest: has every source handed over what this partition needs, and does it keep its contract?

Runs for the partition that begins next, on the use case's cron; by hand for any partition, or a span of them in bulk.
Announces each source's raw rows, which wakes the features.
"""

from airflow.sdk import DAG, TaskGroup

from updraft.partition import CRONS
from updraft.spec.model import UseCase
from updraft_airflow import assets, conventions, deadlines, declared, partitions
from updraft_airflow.operators.ingest import IngestOperator
from updraft_airflow.sensors.delivery import DeliverySensor


def ingest(case: UseCase) -> DAG:
    """One group per source: wait for it; land, validate and publish it, after the sources it refers to."""
    ticks = partitions.ticks(case, case.partitions.cron or CRONS[case.partitions.every], ahead=1)
    how = {"schedule": ticks, "params": partitions.params(case), "deadline": deadlines.ingest(case)}
    with DAG(**how, **conventions.dag(case, "ingest", __doc__)) as dag:
        groups = {}
        for source in case.sources_in_order:
            with TaskGroup(source) as groups[source]:
                which = {"use_case": case.name, "source": source}
                arrived = DeliverySensor(task_id="wait", **which)
                arrived >> IngestOperator(task_id="publish", outlets=[assets.raw(case, source)], **which)
            [groups[other] for other in case.sources[source].refers_to] >> groups[source]
    return dag


globals().update(declared.dags("ingest", ingest))

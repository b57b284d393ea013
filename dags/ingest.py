"""Ingest: has every source handed over what this partition needs, and does it keep its contract?

Runs for the partition that begins next, on the use case's cron; by hand for any partition, or a span of them in bulk;
and, where a source says when a delivery has arrived, as soon as the last one of a partition has. Announces each
source's raw rows, which wakes the features.
"""

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import DAG, TaskGroup

from updraft.partition import CRONS
from updraft.spec.model import UseCase
from updraft_airflow import assets, conventions, deadlines, declared, partitions
from updraft_airflow.operators.arrival import ReadyOperator
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


def arrivals(case: UseCase) -> DAG:
    """Arrivals: start ingestion for the partitions that a message or a file names, if they can be ingested now."""
    with DAG(schedule=assets.arrivals(case), **conventions.dag(case, "arrivals", arrivals.__doc__)) as dag:
        found = ReadyOperator(task_id="look", use_case=case.name)
        how = {"logical_date": None, "skip_when_already_exists": True}
        TriggerDagRunOperator.partial(task_id="start", **how).expand_kwargs(found.output)
    return dag


def tells(case: UseCase) -> bool:
    """Whether any source says when a delivery has arrived."""
    return any(source.tells for source in case.sources.values())


globals().update(declared.dags("ingest", ingest))
globals().update(declared.dags("arrivals", arrivals, of=tells))

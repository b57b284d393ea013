"""Train as soon as the labels of a partition are complete, whenever that is."""

from datetime import UTC, datetime, timedelta

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import DAG, Param

from updraft_airflow.sensors.labels import LabelMaturitySensor

with DAG(
    "train_on_labels",
    schedule=None,
    params={"partition": Param(type="string", pattern=r"^\d{4}-\d{2}-\d{2}$", title="Partition")},
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    dagrun_timeout=timedelta(days=7),
):
    complete = LabelMaturitySensor(
        task_id="labels",
        use_case="flight_delays",
        partition="{{ params.partition }}",
        through="",
        timeout=timedelta(days=5).total_seconds(),
        poke_interval=timedelta(minutes=10).total_seconds(),
    )
    complete >> TriggerDagRunOperator(
        task_id="train",
        trigger_dag_id="flight_delays__train",
        conf={"partition": "{{ params.partition }}"},
        logical_date=None,
    )

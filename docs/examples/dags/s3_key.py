"""Wait for a key in a bucket: that of a source, in the triggerer, and any other, coming back to look."""

from datetime import UTC, datetime, timedelta

from airflow.providers.amazon.aws.sensors.s3 import S3KeySensor
from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import DAG, Param

from updraft_airflow.sensors.delivery import DeliverySensor

with DAG(
    "wait_for_keys",
    schedule=None,
    params={"partition": Param(type="string", pattern=r"^\d{4}-\d{2}-\d{2}$", title="Partition")},
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    dagrun_timeout=timedelta(days=1),
):
    delivered = DeliverySensor(  # where its objects lie says the spec; `deferrable` needs nothing but a triggerer
        task_id="bookings", use_case="late_parcels", source="bookings", partition="{{ params.partition }}", through="",
        deferrable=True,
    )  # fmt: skip
    closed = S3KeySensor(  # Amazon's own; its `deferrable` needs the package aiobotocore
        task_id="books_closed", aws_conn_id="store", bucket_name="accounting",
        bucket_key="closed/{{ params.partition }}", timeout=timedelta(hours=12).total_seconds(), mode="reschedule",
    )  # fmt: skip
    [delivered, closed] >> TriggerDagRunOperator(
        task_id="ingest",
        trigger_dag_id="late_parcels__ingest",
        conf={"partition": "{{ params.partition }}"},
        logical_date=None,
    )

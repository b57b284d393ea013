"""Another team's table wakes our ingestion: its DAG announces a partition, ours starts the life of the same one."""

from datetime import UTC, datetime, timedelta

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import DAG, Asset, CronPartitionTimetable, PartitionedAssetTimetable

WEATHER = Asset(name="warehouse.weather", uri="warehouse://weather")
COMMON = {"start_date": datetime(2026, 1, 1, tzinfo=UTC), "catchup": False, "dagrun_timeout": timedelta(days=1)}

# Theirs. Without a key format a day's key would be 2026-01-01T00:00:00, which is no partition of ours.
with DAG(
    "warehouse_weather", schedule=CronPartitionTimetable("0 5 * * *", timezone="UTC", key_format="%Y-%m-%d"), **COMMON
):
    EmptyOperator(task_id="load", outlets=[WEATHER])

# Ours. An event with a partition wakes only a DAG that is scheduled on partitioned assets, not `schedule=[WEATHER]`.
with DAG("flight_delays_after_weather", schedule=PartitionedAssetTimetable(assets=WEATHER), **COMMON):
    TriggerDagRunOperator(
        task_id="ingest",
        trigger_dag_id="flight_delays__ingest",
        trigger_run_id="weather__{{ dag_run.partition_key }}__{{ run_id }}",
        conf={"partition": "{{ dag_run.partition_key }}"},
        logical_date=None,
        skip_when_already_exists=True,
    )

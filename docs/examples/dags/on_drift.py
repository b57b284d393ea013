"""Another team's DAG waits half a day for drift that hurts, and does nothing where there is none."""

from datetime import UTC, datetime, timedelta

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, Asset, PartitionedAssetTimetable

from updraft_airflow.sensors.drift import DriftSensor

SCORES = Asset(name="flight_delays.scores", uri="x-updraft://flight_delays/scores", group="updraft")

with DAG(
    "pause_campaign_on_drift",
    schedule=PartitionedAssetTimetable(assets=SCORES),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    dagrun_timeout=timedelta(days=1),
):
    drifted = DriftSensor(
        task_id="drifted",
        use_case="flight_delays",
        partition="{{ dag_run.partition_key }}",  # counts from this partition on
        kinds=["performance"],
        soft_fail=True,  # no drift is no failure: what comes behind is skipped
    )
    drifted >> EmptyOperator(task_id="pause_campaign")

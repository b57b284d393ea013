"""Another team's DAG runs for each partition that has been scored."""

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG, Asset, PartitionedAssetTimetable, task

SCORES = Asset(name="flight_delays.scores", uri="x-updraft://flight_delays/scores", group="updraft")

with DAG(
    "warn_travellers",
    schedule=PartitionedAssetTimetable(assets=SCORES),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    dagrun_timeout=timedelta(hours=2),
):

    @task
    def warn(partition: str) -> int:
        """Count the flights of the partition that are to be acted on; the event only says which partition."""
        from updraft_airflow.hooks.lake import LakeHook

        # Rows that do not count, such as a challenger's, are never acted on.
        rows = LakeHook().get_conn().read("scores/flight_delays", [partition], ["acted"])
        return rows["acted"].to_pylist().count(True)

    warn("{{ dag_run.partition_key }}")

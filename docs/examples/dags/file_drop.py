"""A file in the inbox wakes a DAG, once it is whole."""

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG, Asset, AssetWatcher, task

from updraft_airflow.triggers.arrival import ArrivalTrigger

WEATHER = Asset(
    name="flight_delays.weather_dropped",
    uri="inbox://flight_delays/weather",
    watchers=[AssetWatcher(name="weather", trigger=ArrivalTrigger(use_case="flight_delays", source="weather"))],
)

with DAG(
    "weather_dropped",
    schedule=[WEATHER],
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    dagrun_timeout=timedelta(hours=1),
):

    @task
    def dropped(triggering_asset_events=None) -> list[str]:
        """Partitions whose files came or changed. To have ingestion start by itself, say `files: {watch: true}`."""
        events = triggering_asset_events[WEATHER]
        return sorted({each["partition"] for event in events for each in event.extra["payload"]["arrivals"]})

    dropped()

"""A DAG of another team that a message in a queue wakes: S3 says that an object of a source was created."""

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG, Asset, AssetWatcher, task

from updraft_airflow.triggers.arrival import ArrivalTrigger

# The queue and its connection stand in the spec: `s3.notifications` of the source. Who hears a message has heard it,
# so a queue has one listener: this DAG, or `late_parcels__arrivals`, which the spec gives you.
BOOKINGS = Asset(
    name="late_parcels.bookings_heard",
    uri="late-parcels://bookings",
    watchers=[AssetWatcher(name="bookings", trigger=ArrivalTrigger(use_case="late_parcels", source="bookings"))],
)

with DAG(
    "hears_of_bookings",
    schedule=[BOOKINGS],  # what a watcher says carries no partition key: the names are in the event
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    dagrun_timeout=timedelta(hours=1),
):

    @task
    def heard(triggering_asset_events=None) -> list[str]:
        """Partitions that were named. What is named may have been said twice, or long ago: look before you act."""
        events = triggering_asset_events[BOOKINGS]
        return sorted({each["partition"] for event in events for each in event.extra["payload"]["arrivals"]})

    heard()

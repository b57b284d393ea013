"""The demo's features in polars, as a process that imports nothing of Updraft's: the peer of `year_bench.py`.

It reads the history once, asks one lazy query per partition in the streaming engine, and leaves behind what Updraft
does: a Delta table with the same columns, stamps and order of rows, many partitions in one commit. It opens no delivery
from before a source's look back. With `newest` it also looks, of each key, for the newest version known; without, it
trusts that nothing was ever corrected.

    python tests/bench/year_polars.py plan.json [newest]
"""

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
from deltalake import write_deltalake

HELD_BYTES = 64 << 20  # rows that wait to be written, as many as Updraft lets wait


def main(plan: dict[str, Any], *, newest: bool) -> None:
    """Read history once, ask it once per partition, commit many at a time."""
    tables = {}
    for name, source in plan["sources"].items():
        wanted = list(dict.fromkeys([*source["columns"], *(source["key"] if newest else ()), "known_at"]))
        files = pl.scan_parquet(source["files"], hive_partitioning=False)
        tables[name] = files.select(wanted).sort("known_at").collect(engine="streaming")
    held: list[Any] = []
    for day in plan["days"]:
        start, end, moment = (datetime.fromisoformat(day[name]) for name in ("start", "end", "as_of"))
        known = {}
        for name, table in tables.items():
            own = plan["sources"][name]
            since = table["known_at"].search_sorted(start - timedelta(seconds=own["lookback"]))
            seen = table.slice(since, table["known_at"].search_sorted(moment, "right") - since).lazy()
            known[name] = seen.unique(own["key"], keep="last").collect(engine="streaming").lazy() if newest else seen
        rows = asked(known, start, end, plan["zone"]).with_columns(
            event_time="scheduled_departure",
            as_of=pl.lit(moment).dt.cast_time_unit("us"),
            fingerprint=pl.lit(plan["fingerprint"]),
            partition=pl.lit(day["key"]),
        )
        kinds = dict.fromkeys(plan["numbers"], pl.Float64)
        held.append(rows.select(plan["written"]).cast(kinds).sort(plan["entity"]).collect(engine="streaming"))
        if sum(frame.estimated_size() for frame in held) > HELD_BYTES:
            write_deltalake(plan["target"], pl.concat(held), mode="append", partition_by=["partition"])
            held = []
    if held:
        write_deltalake(plan["target"], pl.concat(held), mode="append", partition_by=["partition"])


def asked(known: dict[str, Any], start: datetime, end: datetime, zone: str) -> Any:
    """The demo's features.sql as a lazy polars query."""

    def before(days: int) -> Any:
        return (start.astimezone(ZoneInfo(zone)) - timedelta(days=days)).astimezone(UTC)

    departure = pl.col("scheduled_departure")
    clock = departure.dt.convert_time_zone(zone)
    hour = clock.dt.hour().cast(pl.Int32)
    arrival, late = pl.col("arrival_clock"), pl.col("late")
    flights = known["schedule"].filter((departure >= start) & (departure < end)).with_columns(
        departure_hour=hour, departure_minute=hour * 60 + clock.dt.minute().cast(pl.Int32)
    )  # fmt: skip
    flown = known["outcomes"].filter(pl.col("arrival_delay").is_not_null() & (departure >= before(30)))
    flown = flown.with_columns(
        departure_hour=hour,
        late=(pl.col("arrival_delay") >= 15).cast(pl.Float64),
        delay=pl.col("arrival_delay").clip(-30, 120),
        last_week=departure >= before(9),
    )
    week = late.filter(pl.col("last_week")).mean()
    last_day = late.filter(clock >= clock.max().dt.offset_by("-1d")).mean()
    overall = flown.select(late_rate_7d=week, late_rate_last_day=last_day)
    newest = known["weather"].sort("observed_at").group_by("origin").last().drop("observed_at", "known_at")

    def rates(name: str, *by: str) -> Any:
        return flown.group_by(by).agg(week.alias(f"{name}_late_7d"), late.mean().alias(f"{name}_late_28d"))

    by_flight = flown.group_by("carrier", "flight").agg(
        flight_late_28d=late.mean(), flight_mean_delay_28d=pl.col("delay").mean()
    )
    joined = flights.join(overall, how="cross").join(rates("carrier", "carrier"), on="carrier", how="left")
    joined = joined.join(rates("dest", "dest"), on="dest", how="left")
    places = ("origin", "departure_hour")
    joined = joined.join(rates("hour", *places), on=places, how="left")
    joined = joined.join(by_flight, on=("carrier", "flight"), how="left").join(newest, on="origin", how="left")
    return joined.with_columns(
        weekday=clock.dt.weekday() % 7,
        arrival_hour=arrival // 100,
        block_minutes=(arrival // 100 * 60 + arrival % 100 - pl.col("departure_minute") + 1440) % 1440,
        flights_in_hour=pl.len().over(places),
        flights_in_day=pl.len().over("origin"),
    )


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text()), newest="newest" in sys.argv)
    print("{}")

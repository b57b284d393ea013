"""The demo's features over a year in bulk, and over many times the year: through Updraft, and in polars.

The real flights of 2013, repeated `--times` under shifted flight numbers. Four ways to the same rows, each in a
process of its own, so that imports, reading, writing and peak memory count:

- updraft: `features.build` over all partitions, each as of its moment, corrections and all;
- the same with DuckDB held to one gigabyte;
- polars: the history read once, then one lazy query per partition in the streaming engine. It trusts that nothing was
  ever corrected and writes plain Parquet files; Updraft does neither;
- polars, newest: the same, and of each key only the newest version known within the look back, as Updraft shows it.

    python tests/bench/year_bench.py                        # 90 days, as they were
    python tests/bench/year_bench.py --days 365 --times 30  # ten million flights
"""

import argparse
import json
import math
import os
import sys
from datetime import UTC, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
from asof_bench import FIRST, USE_CASES, raw
from asof_join_bench import Measured, measured, medians
from peers import packages

from updraft import features
from updraft.asof import raw_table
from updraft.demo.publisher import Publisher
from updraft.lake import Lake
from updraft.partition import Partition, calendar
from updraft.spec.load import load
from updraft.spec.model import UseCase
from updraft.spec.sources import Source

COMPARED = ("late_rate_7d", "hour_late_28d", "flight_mean_delay_28d", "temperature", "flights_in_hour", "weekday")


def days_of(case: UseCase, count: int) -> list[Partition]:
    """The first partitions of the year."""
    dates = calendar(case)
    first = dates.at(FIRST)
    return list(dates.between(first, dates.step(first, count - 1)))


def publish(case: UseCase, lake: Lake, count: int, times: int) -> None:
    """Write the raw rows, thirty days in one commit; all but the weather is repeated."""
    publisher, days = Publisher(Path(), calendar(case)), days_of(case, count)
    for source in case.sources:
        for begin in range(0, count, 30):
            part = days[begin : begin + 30]
            once = pa.concat_tables([raw(case, source, publisher.rows(source, day), day) for day in part])
            tables = [shifted(once, n) for n in range(times if "flight" in once.column_names else 1)]
            lake.replace(raw_table(case, source), pa.concat_tables(tables), [day.key for day in part])


def shifted(rows: pa.Table, n: int) -> pa.Table:
    """The same rows under other keys: flight numbers that nobody else has."""
    if n == 0:
        return rows
    other = {
        "flight_id": pc.binary_join_element_wise(rows["flight_id"], str(n), "-"),
        "flight": pc.add(rows["flight"], 10_000 * n),
        "row": pc.add(rows["row"], 1_000_000 * n),
    }
    return pa.table({name: other.get(name, rows[name]) for name in rows.column_names}, schema=rows.schema)


def updraft(case: UseCase, folder: Path, count: int) -> None:
    """Build the features of all partitions."""
    features.build(case, [day.key for day in days_of(case, count)], Lake(str(folder / "lake")))


def polars(case: UseCase, folder: Path, count: int, *, newest: bool) -> None:
    """Read history once, ask it once per partition, write one file per partition."""
    import polars as pl

    lake, needed = folder / "lake", {
        "schedule": ["flight_id", "carrier", "flight", "origin", "dest", "distance", "arrival_clock"],
        "outcomes": ["carrier", "flight", "origin", "dest", "arrival_delay"],
        "weather": ["origin", "observed_at", *(n for n in case.features if n in case.sources["weather"].columns)],
    }  # fmt: skip
    tables = {}
    for source, columns in needed.items():
        extra = [] if source == "weather" else ["scheduled_departure"]
        keys = case.sources[source].key if newest else ()
        wanted = list(dict.fromkeys([*columns, *extra, *keys, "known_at"]))
        files = pl.scan_parquet(f"{lake / raw_table(case, source)}/*/*.parquet", hive_partitioning=False)
        tables[source] = files.select(wanted).sort("known_at").collect(engine="streaming")
    for day in days_of(case, count):
        known = {
            name: table.slice(0, table["known_at"].search_sorted(day.as_of, "right")) for name, table in tables.items()
        }
        if newest:
            known = {name: newest_of(case.sources[name], table, day) for name, table in known.items()}
        target = folder / "polars" / f"partition={day.key}"
        target.mkdir(parents=True)
        asked(known, day, case.partitions.timezone).collect(engine="streaming").write_parquet(target / "0.parquet")


def newest_of(source: Source, table: Any, day: Partition) -> Any:
    """Of each key the row known last, among those known since the look back begins."""
    assert source.lookback
    recent = table.slice(table["known_at"].search_sorted(day.start - source.lookback))
    return recent.lazy().unique(list(source.key), keep="last").collect(engine="streaming")


def asked(known: dict[str, Any], day: Partition, zone: str) -> Any:
    """The demo's features.sql as a lazy polars query."""
    import polars as pl

    def before(days: int) -> Any:
        return (day.start.astimezone(ZoneInfo(zone)) - timedelta(days=days)).astimezone(UTC)

    departure = pl.col("scheduled_departure")
    clock = departure.dt.convert_time_zone(zone)
    hour = clock.dt.hour().cast(pl.Int32)
    arrival, late = pl.col("arrival_clock"), pl.col("late")
    flights = known["schedule"].lazy().filter((departure >= day.start) & (departure < day.end)).with_columns(
        departure_hour=hour, departure_minute=hour * 60 + clock.dt.minute().cast(pl.Int32)
    )  # fmt: skip
    flown = known["outcomes"].lazy().filter(pl.col("arrival_delay").is_not_null() & (departure >= before(30)))
    flown = flown.with_columns(
        departure_hour=hour,
        late=(pl.col("arrival_delay") >= 15).cast(pl.Float64),
        delay=pl.col("arrival_delay").clip(-30, 120),
        last_week=departure >= before(9),
    )
    week = late.filter(pl.col("last_week")).mean()
    last_day = late.filter(clock >= clock.max().dt.offset_by("-1d")).mean()
    overall = flown.select(late_rate_7d=week, late_rate_last_day=last_day)
    newest = known["weather"].lazy().sort("observed_at").group_by("origin").last().drop("observed_at", "known_at")

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


def sums(folder: Path) -> dict[str, float]:
    """What the answers are compared by: rows, and the sum of some columns."""
    rows = ds.dataset(folder, format="parquet", exclude_invalid_files=True).to_table(columns=list(COMPARED))
    return {"rows": len(rows)} | {name: float(pc.sum(rows[name]).as_py()) for name in COMPARED}


WAYS = {"updraft": {}, "updraft, 1 GB": {"UPDRAFT_MEMORY": "1GB"}, "polars": {}, "polars, newest": {}}


def compare(folder: Path, count: int, times: int, runs: int) -> None:
    """Run every way, in turns, and print medians beside each other."""
    own = [sys.executable, __file__, "--days", str(count), "--times", str(times), "--folder", str(folder), "--way"]
    measured([*own, "publish"])
    found: dict[str, list[Measured]] = {way: [] for way in WAYS}
    answers: dict[str, dict[str, float]] = {}
    for _ in range(runs):
        for way, environment in WAYS.items():
            theirs = way.startswith("polars")
            place = folder / ("polars" if theirs else "lake/features/flight_delays")
            more = packages("polars") if theirs else environment
            found[way].append(measured([*own, way], **more))
            answers[way] = measured([*own, f"sums of {place}"]).answer
            place.rename(folder / f"done-{len(list(folder.iterdir()))}")
    base, base_cpu, _ = medians(found["polars"])
    print(f"{'':14} {'whole process':>14} {'times polars':>13} {'CPU times polars':>17} {'peak MB':>8}   rows, values")
    for way, all_runs in found.items():
        seconds, cpu, peak = medians(all_runs)
        same = all(math.isclose(answers[way][k], answers["polars"][k], rel_tol=1e-9) for k in answers[way])
        told = f"{answers[way]['rows']:.0f}, {'equal' if same else 'OTHER'}"
        print(
            f"{way:14} {seconds:12.1f} s {seconds / base:13.2f} {cpu / base_cpu:17.2f} {peak:8.0f}   {told}", flush=True
        )


def done(way: str, folder: Path, count: int, times: int) -> dict[str, float]:
    """Be one of the processes."""
    case = load("flight_delays", USE_CASES)
    if way == "publish":
        publish(case, Lake(str(folder / "lake")), count, times)
    elif way.startswith("sums of "):
        return sums(Path(way.removeprefix("sums of ")))
    elif way.startswith("polars"):
        polars(case, folder, count, newest=way != "polars")
    else:
        updraft(case, folder, count)
    return {}


def main() -> None:
    """Measure and print; with `--way`, be one of those measured."""
    said = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in {"days": 90, "times": 1, "runs": 1}.items():
        said.add_argument(f"--{name}", type=int, default=default)
    said.add_argument("--way", help=argparse.SUPPRESS)
    said.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    asked_for = said.parse_args()
    if asked_for.way:
        print(json.dumps(done(asked_for.way, asked_for.folder, asked_for.days, asked_for.times)))
        return
    print(f"{asked_for.days} days of flights, {asked_for.times} times; medians of {asked_for.runs} runs", end=" ")
    print(f"on {os.cpu_count()} cores", flush=True)
    with TemporaryDirectory() as folder:
        compare(Path(folder), asked_for.days, asked_for.times, asked_for.runs)


if __name__ == "__main__":
    main()

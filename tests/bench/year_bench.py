"""The demo's features over a year in bulk, and over many times the year: through Updraft, and in polars.

The real flights of 2013, repeated `--times` under shifted flight numbers. Four ways to the same rows, each in a
process of its own, so that imports, reading, writing and peak memory count:

- updraft: `features.build` over all partitions, each as of its moment, corrections and all;
- the same in a process that is to take about one gigabyte (`UPDRAFT_MEMORY`);
- polars: the history read once, then one lazy query per partition in the streaming engine, and the same Delta table
  written (`year_polars.py`, which imports nothing of Updraft's). It trusts that nothing was ever corrected;
- polars, newest: the same, and of each key only the newest version known within the look back, as Updraft shows it.

    python tests/bench/year_bench.py                        # 90 days, as they were
    python tests/bench/year_bench.py --days 365 --times 30  # ten million flights
"""

import argparse
import json
import math
import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

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

PEER = Path(__file__).with_name("year_polars.py")
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


def plan(case: UseCase, folder: Path, count: int) -> None:
    """Write down for the peer what it needs to know, so that it imports nothing of ours."""
    needed = {
        "schedule": ["flight_id", "carrier", "flight", "origin", "dest", "distance", "arrival_clock"],
        "outcomes": ["carrier", "flight", "origin", "dest", "arrival_delay"],
        "weather": ["origin", "observed_at", *(n for n in case.features if n in case.sources["weather"].columns)],
    }  # fmt: skip
    sources = {}
    for name, columns in needed.items():
        source = case.sources[name]
        assert source.lookback
        sources[name] = {
            "files": f"{folder / 'lake' / raw_table(case, name)}/*/*.parquet",
            "columns": [*columns, *([] if name == "weather" else ["scheduled_departure"])],
            "key": list(source.key),
            "lookback": source.lookback.total_seconds(),
        }
    days = [
        {"key": day.key, "start": str(day.start), "end": str(day.end), "as_of": str(day.as_of)}
        for day in days_of(case, count)
    ]
    written = features.schema(case)
    told = {
        "days": days,
        "sources": sources,
        "zone": case.partitions.timezone,
        "fingerprint": features.fingerprint(case),
        "written": written.names,
        "numbers": [field.name for field in written if field.type == pa.float64()],
        "entity": list(case.entity),
        "target": str(folder / "polars"),
    }
    (folder / "plan.json").write_text(json.dumps(told))


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
    for run in range(runs):
        for way, environment in WAYS.items():
            theirs = way.startswith("polars")
            place = folder / ("polars" if theirs else "lake/features/flight_delays")
            more = packages("polars") if theirs else environment
            peer = [sys.executable, str(PEER), str(folder / "plan.json"), *(["newest"] if "newest" in way else [])]
            found[way].append(measured(peer if theirs else [*own, way], **more))
            answers[way] = measured([*own, f"sums of {place}"]).answer
            place.rename(folder / f"{way} {run}")
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
        plan(case, folder, count)
    elif way.startswith("sums of "):
        return sums(Path(way.removeprefix("sums of ")))
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

"""What does seeing the lake as of a moment cost, and what does a long history of commits?

Two ratios over the real flights of 2013, each the median of several runs, so that they mean the same on any machine:

- building the features of one day through Updraft (open the lake, load what can matter, show it as of the moment, run
  the SQL) against the same SQL in plain DuckDB over tables that are loaded already and hold nothing else;
- reading one partition out of a table that was written in many commits against the same table written in one.

    python tests/bench/asof_bench.py --runs 5 --commits 500
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pandas as pd
import pyarrow as pa

from updraft.asof import History, raw_schema, raw_table
from updraft.demo.publisher import Publisher
from updraft.lake import Lake
from updraft.partition import Partition, calendar
from updraft.rows import ARROW
from updraft.spec.load import load
from updraft.spec.model import UseCase

USE_CASES = Path(__file__).parents[2] / "include" / "use_cases"
FIRST, DAY = "2013-01-01", "2013-02-15"  # enough history for the longest look back of the demo


def median(runs: int, call: Callable[[], object]) -> float:
    """Median seconds of a call, after one that warms it up."""
    call()
    seconds = []
    for _ in range(runs):
        begun = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - begun)
    return statistics.median(seconds)


def publish(case: UseCase, lake: Lake) -> None:
    """Write the raw rows of every delivery up to the day, one commit per source."""
    dates = calendar(case)
    publisher = Publisher(Path(), dates)
    days = list(dates.between(dates.at(FIRST), dates.at(DAY)))
    for source in case.sources:
        tables = [raw(case, source, publisher.rows(source, day), day) for day in days]
        lake.replace(raw_table(case, source), pa.concat_tables(tables), [day.key for day in days])


def raw(case: UseCase, source: str, rows: pd.DataFrame, day: Partition) -> pa.Table:
    """One delivery as the raw table holds it."""
    declared = case.sources[source]
    own = {
        name: pa.array(_moments(rows[name]) if column.type == "timestamp" else rows[name], ARROW[column.type])
        for name, column in declared.columns.items()
    }
    known = own[str(declared.known_at.column)]
    stamps = {"event_time": own[declared.event_time], "known_at": known, "row": pa.array(range(1, len(rows) + 1))}
    origin = {name: pa.array([day.key] * len(rows), pa.string()) for name in ("delivery", "partition")}
    columns = {**own, **stamps, **origin}
    schema = raw_schema(declared)
    return pa.table([columns[field.name].cast(field.type) for field in schema], schema=schema)


def _moments(texts: "pd.Series[str]") -> "pd.Series[pd.Timestamp]":
    return pd.to_datetime(texts, utc=True)


def through_updraft(case: UseCase, lake: Lake, day: Partition) -> pa.Table:
    """The features of a day as the stage computes them, without writing."""
    with History(lake, case, "features", first=day, latest=day.as_of) as history:
        return history.ask(day, day.as_of)


def plain(case: UseCase, lake: Lake, day: Partition) -> duckdb.DuckDBPyConnection:
    """A DuckDB that holds just what is visible as of the day's moment, as tables; one thread, as Updraft's."""
    db = duckdb.connect(config={"threads": 1})
    db.execute("SET TimeZone = ?", [case.partitions.timezone])
    with History(lake, case, "features", first=day, latest=day.as_of) as history, history._connection() as shown:
        history._show_all(shown, day, day.as_of)
        tables = {name: shown.table(name).to_arrow_table() for name in (*history.sources, "this_partition")}
    for name, rows in tables.items():
        db.register("incoming", rows)
        db.execute(f'CREATE TABLE "{name}" AS SELECT * FROM incoming')
        db.unregister("incoming")
    return db


def asof_ratio(runs: int, folder: str) -> None:
    """Print what building a day costs over plain DuckDB."""
    case, lake = load("flight_delays", USE_CASES), Lake(folder)
    publish(case, lake)
    day = calendar(case).at(DAY)
    db, sql = plain(case, lake, day), case.sql("features")
    rows = through_updraft(case, lake, day).num_rows
    assert rows == db.sql(sql).to_arrow_table().num_rows
    ours = median(runs, lambda: through_updraft(case, lake, day))
    theirs = median(runs, lambda: db.sql(sql).to_arrow_table())
    print(f"one day of features ({rows} rows) as of its moment, against plain DuckDB on loaded tables: ", end="")
    print(f"{ours / theirs:.1f} times ({ours * 1000:.0f} ms against {theirs * 1000:.0f} ms)")


def commits_ratio(runs: int, commits: int, folder: str) -> None:
    """Print what reading one partition costs after many commits."""
    lake, count = Lake(folder), 900
    keys = [f"{number:05}" for number in range(commits)]
    values = list(range(count))
    for number, key in enumerate(keys):
        lake.replace("many", pa.table({"partition": [key] * count, "x": [v + number for v in values]}), [key])
    lake.replace("one", lake.read("many"), keys)
    wanted = keys[len(keys) // 2]
    assert lake.read("many", [wanted]).equals(lake.read("one", [wanted]))
    many, one = (median(runs, lambda table=table: lake.read(table, [wanted])) for table in ("many", "one"))
    print(f"one partition of {commits}, after {commits} commits against after one: ", end="")
    print(f"{many / one:.1f} times ({many * 1000:.0f} ms against {one * 1000:.0f} ms)")


def main() -> None:
    """Measure and print."""
    said = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    said.add_argument("--runs", type=int, default=5)
    said.add_argument("--commits", type=int, default=500)
    asked = said.parse_args()
    print(f"medians of {asked.runs} runs on {os.cpu_count()} cores")
    with TemporaryDirectory() as folder:
        asof_ratio(asked.runs, f"{folder}/asof")
        commits_ratio(asked.runs, asked.commits, f"{folder}/commits")


if __name__ == "__main__":
    main()

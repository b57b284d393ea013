"""Land a delivery larger than memory is to be: rows per second and peak memory, beside what DuckDB and pandas read.

A CSV of parcels is generated, with quotes, missing values and repeated words. Each process of its own:

- updraft, read: caps, checks, and every value read as declared;
- updraft, staged: fetched, hashed, kept, read, held against a contract, and published to a Delta table;
- DuckDB and pandas: their own readers, some rows at a time, types told, nothing kept and nothing checked.

    python tests/bench/landing_bench.py                  # 500 MB
    python tests/bench/landing_bench.py --megabytes 5000
"""

import argparse
import json
import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from asof_join_bench import Measured, measured

DAY = "2024-01-01"
COLUMNS = {
    "id": "string", "at": "timestamp", "origin": "string", "dest": "string", "distance": "integer",
    "delay": "integer", "weight": "number", "note": "string",
}  # fmt: skip
SPEC = """
version: 1
name: parcels
owner: {name: Bench, email: bench@example.com}
problem:
  goal: Say which parcels will arrive late.
  lead_time: 1h
  decision: Warn.
  value: {true_positive: 1, false_positive: -1, false_negative: 0}
partitions: {every: day, first: 2024-01-01}
entity: [id]
sources:
  parcels:
    type: files
    path: parcels/{partition}.csv
    key: [id]
    event_time: at
    known_at: {delay: 1h}
    caps: {bytes: 100000000000, decoded_bytes: 100000000000, rows: 1000000000}
    columns:
      id: {type: string, pattern: "^P[0-9]{10}$"}
      at: {type: timestamp}
      origin: {type: string, among: [EWR, JFK, LGA]}
      dest: {type: string}
      distance: {type: integer, range: [1, 6000]}
      delay: {type: integer, range: [-60, 1000]}
      weight: {type: number, range: [0, 1000]}
      note: {type: string, nullable: true}
    contract: {rows: [1, 1000000000], tolerance: 0.01}
label: {column: late, maturity: 1d}
features: {distance: {type: number}}
"""


def generate(path: Path, megabytes: int) -> None:
    """Write parcels until the file has its size."""
    draw = np.random.default_rng(1)
    written, count, some = 0, 0, 50_000
    notes = np.array(["", "fragile", "leave at the door", '"call before delivery, please"'])
    with path.open("wb") as file:
        written += file.write(",".join(COLUMNS).encode() + b"\n")
        while written < megabytes * 10**6:
            minute = draw.integers(0, 1440, some)
            columns = [
                [f"P{number:010d}" for number in range(count, count + some)],
                [f"{DAY}T{m // 60:02d}:{m % 60:02d}:00Z" for m in minute.tolist()],
                np.array(["EWR", "JFK", "LGA"])[draw.integers(0, 3, some)],
                np.array(["ATL", "BOS", "ORD", "LAX", "SFO", "MIA"])[draw.integers(0, 6, some)],
                draw.integers(100, 3000, some).astype(str),
                draw.integers(-30, 200, some).astype(str),
                np.round(draw.gamma(2, 3, some), 3).astype(str),
                notes[draw.integers(0, 4, some)],
            ]
            written += file.write("\n".join(map(",".join, zip(*columns, strict=True))).encode() + b"\n")
            count += some


def read(folder: Path) -> int:
    """Decode the file as the spec declares it."""
    from updraft.sources.decode import decode
    from updraft.spec.load import load

    source = load("parcels", folder / "use_cases").sources["parcels"]
    with (folder / "inbox" / "parcels" / f"{DAY}.csv").open("rb") as file:
        return decode(file, source).count


def staged(folder: Path) -> int:
    """Land, validate and publish it."""
    from updraft import ingest
    from updraft.lake import Lake
    from updraft.spec.load import load

    case = load("parcels", folder / "use_cases")
    published = ingest.stage(case, "parcels", [DAY], Lake(str(folder / "lake")), folder / "inbox")
    return published.rows


def duckdb(folder: Path) -> int:
    """Read it with DuckDB, batch by batch."""
    import duckdb as engine

    types = {"timestamp": "TIMESTAMPTZ", "integer": "BIGINT", "number": "DOUBLE", "string": "VARCHAR"}
    told = {name: types[kind] for name, kind in COLUMNS.items()}
    with engine.connect() as db:
        found = db.read_csv(str(folder / "inbox" / "parcels" / f"{DAY}.csv"), columns=told, header=True)
        return sum(batch.num_rows for batch in found.to_arrow_reader(1 << 16))


def pandas(folder: Path) -> int:
    """Read it with pandas, chunk by chunk."""
    import pandas as pd

    types = {"integer": "int64", "number": "float64", "string": "str"}
    told = {name: types[kind] for name, kind in COLUMNS.items() if kind in types}
    path = folder / "inbox" / "parcels" / f"{DAY}.csv"
    chunks = pd.read_csv(path, dtype=told, parse_dates=["at"], chunksize=100_000)
    return sum(len(chunk) for chunk in chunks)


PEERS = {"updraft, read": read, "updraft, staged": staged, "duckdb": duckdb, "pandas": pandas}


def show(found: dict[str, Measured]) -> None:
    """Print rows per second and what else was measured."""
    own = found["updraft, read"]
    print(f"{'':18}{'rows/s':>12}{'times read':>12}{'CPU times read':>16}{'peak MB':>10}{'rows':>14}")
    for name, one in found.items():
        rows = one.answer["rows"]
        times, cpu = one.seconds / own.seconds, one.cpu / own.cpu
        print(f"{name:18}{rows / one.seconds:>12,.0f}{times:>12.2f}{cpu:>16.2f}{one.peak:>10.0f}{rows:>14,.0f}")


def main() -> None:
    """Generate, measure, show; or be one of those that are measured."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--megabytes", type=int, default=500)
    asked.add_argument("--peer", choices=PEERS, help=argparse.SUPPRESS)
    asked.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = asked.parse_args()
    if given.peer:
        print(json.dumps({"rows": PEERS[given.peer](given.folder)}))
        return
    with TemporaryDirectory() as made:
        folder = Path(made)
        (folder / "inbox" / "parcels").mkdir(parents=True)
        case = folder / "use_cases" / "parcels"
        case.mkdir(parents=True)
        (case / "spec.yaml").write_text(SPEC)
        (case / "README.md").write_text("Parcels of a bench.")
        (case / "features.sql").write_text("SELECT id, at AS event_time, distance FROM parcels")
        (case / "label.sql").write_text("SELECT id, delay > 15 AS late FROM parcels")
        generate(folder / "inbox" / "parcels" / f"{DAY}.csv", given.megabytes)
        found = {}
        for name in PEERS:
            command = [sys.executable, __file__, "--peer", name, "--folder", made]
            found[name] = measured(command, UPDRAFT_HOME=str(folder / "home"))
            shutil.rmtree(folder / "home", ignore_errors=True)
        show(found)


if __name__ == "__main__":
    main()

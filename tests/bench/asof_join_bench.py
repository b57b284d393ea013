"""The as-of join of feast issue #3003: 17,000 entity rows, 10 views of 100 features each.

Every peer joins the same Parquet files in a process of its own, from its start to its end, so that imports and peak
memory count. The answers are compared; a peer that drops entity rows is shown as wrong. Feast gets an environment of
its own, below UPDRAFT_HOME, because it does not fit beside the project's; where it cannot be installed, that is said.

    python tests/bench/asof_join_bench.py --runs 3
"""

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from peers import HOME, packages

FEAST = ["feast[duckdb]==0.67.0", "duckdb<2"]  # its SQL is written by an ibis that duckdb 2 rejects
START = 1_700_000_000_000_000  # microseconds


def generate(folder: Path, entities: int, views: int, features: int, versions: int) -> None:
    """Write the entity rows and the views; one row in fifty is asked about before anything is known."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    rng, month, stamp = np.random.default_rng(1), 30 * 86_400_000_000, pa.timestamp("us", "UTC")
    asked = START + rng.integers(0, month, entities)
    asked[::50] = START - 2 * month
    ids = np.arange(entities)
    pq.write_table(pa.table({"id": ids, "event_timestamp": pa.array(asked).cast(stamp)}), folder / "entities.parquet")
    for view in range(views):
        at = START + rng.integers(-month, month, entities * versions)
        columns: dict[str, Any] = {"id": np.tile(ids, versions), "event_timestamp": pa.array(at).cast(stamp)}
        columns |= {f"v{view}_f{n}": rng.normal(size=entities * versions) for n in range(features)}
        pq.write_table(pa.table(columns), folder / f"view_{view}.parquet")


def views_of(folder: Path) -> list[Path]:
    """Files of the views."""
    return sorted(folder.glob("view_*.parquet"), key=lambda file: int(file.stem.split("_")[1]))


def told(rows: int, first: Any, last: Any) -> dict[str, float]:
    """What the answers are compared by."""
    return {"rows": rows, "first": float(first), "last": float(last)}


def updraft(folder: Path) -> dict[str, float]:
    """Keys only in DuckDB, then the columns by row number."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    from updraft.rows import as_of

    found = as_of(pq.read_table(folder / "entities.parquet"), views_of(folder), by=["id"], at="event_timestamp")
    return told(len(found), pc.sum(found["v0_f0"]).as_py(), pc.sum(found[-1]).as_py())


def pandas(folder: Path) -> dict[str, float]:
    """`merge_asof`, view by view."""
    import pandas as pd

    found = pd.read_parquet(folder / "entities.parquet").sort_values("event_timestamp")
    for file in views_of(folder):
        view = pd.read_parquet(file).sort_values("event_timestamp", kind="stable")
        found = pd.merge_asof(found, view, on="event_timestamp", by="id")
    return told(len(found), found["v0_f0"].sum(), found.iloc[:, -1].sum())


def polars(folder: Path) -> dict[str, float]:
    """`join_asof`, view by view, lazily, in the streaming engine."""
    import polars as pl

    found = pl.scan_parquet(folder / "entities.parquet").sort("event_timestamp")
    for file in views_of(folder):
        view = pl.scan_parquet(file).sort("event_timestamp", maintain_order=True)
        found = found.join_asof(view, on="event_timestamp", by="id", check_sortedness=False)
    rows = found.collect(engine="streaming")
    return told(len(rows), rows["v0_f0"].sum(), rows[rows.columns[-1]].sum())


def duckdb(folder: Path) -> dict[str, float]:
    """One wide `ASOF LEFT JOIN` in plain DuckDB."""
    import duckdb as duck
    import pyarrow.compute as pc

    joins = [f"ASOF LEFT JOIN '{file}' v{n} USING (id, event_timestamp)" for n, file in enumerate(views_of(folder))]
    found = duck.sql(f"SELECT * FROM '{folder}/entities.parquet' {' '.join(joins)}").to_arrow_table()
    return told(len(found), pc.sum(found["v0_f0"]).as_py(), pc.sum(found[-1]).as_py())


def feast(folder: Path, *, applying: bool = False) -> dict[str, float]:
    """Feast's DuckDB store; the views are applied beforehand, in a process that is not measured."""
    from datetime import timedelta

    import pandas as pd
    import pyarrow.parquet as pq
    from feast import Entity, FeatureStore, FeatureView, Field, FileSource, RepoConfig  # type: ignore[import-not-found]
    from feast.types import Float64  # type: ignore[import-not-found]

    store = FeatureStore(
        config=RepoConfig(
            project="bench",
            provider="local",
            registry=str(folder / "registry.db"),
            offline_store={"type": "duckdb"},
            online_store={"type": "sqlite", "path": str(folder / "online.db")},
            entity_key_serialization_version=3,
        )
    )
    names = {f.stem: [n for n in pq.read_schema(f).names if n.startswith("v")] for f in views_of(folder)}
    if applying:
        entity = Entity(name="id", join_keys=["id"])
        views = [
            FeatureView(
                name=view,
                entities=[entity],
                ttl=timedelta(0),
                schema=[Field(name=name, dtype=Float64) for name in own],
                source=FileSource(path=str(folder / f"{view}.parquet"), timestamp_field="event_timestamp"),
            )
            for view, own in names.items()
        ]
        store.apply([entity, *views])
        return {}
    asked = [f"{view}:{name}" for view, own in names.items() for name in own]
    entities = pd.read_parquet(folder / "entities.parquet")
    found = store.get_historical_features(entity_df=entities, features=asked).to_df()
    last = list(names.values())[-1][-1]
    return told(len(found), found["v0_f0"].sum(), found[last].sum())


PEERS: dict[str, Callable[[Path], dict[str, float]]] = {
    "updraft": updraft, "polars": polars, "pandas": pandas, "duckdb": duckdb, "feast": feast,
}  # fmt: skip


@dataclass(frozen=True)
class Measured:
    """One process, whole: seconds from start to end, seconds of processor time, peak megabytes, and its answer.

    Processor time hardly depends on what else the machine does.
    """

    seconds: float
    cpu: float
    peak: float
    answer: dict[str, float]


def measured(command: list[str], **environment: str) -> Measured:
    """Run a peer in a process of its own; the last line it prints is its answer.

    A process begins with the peak memory of the one that started it, so this one must stay small.
    """
    begun = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.PIPE, env=os.environ | environment)
    assert child.stdout is not None
    said = child.stdout.read().decode()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {child.returncode}")
    answer = json.loads(said.splitlines()[-1])
    return Measured(time.perf_counter() - begun, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, answer)


def medians(runs: list[Measured]) -> tuple[float, float, float]:
    """Seconds, processor seconds, peak megabytes."""
    columns = ([m.seconds for m in runs], [m.cpu for m in runs], [m.peak for m in runs])
    seconds, cpu, peak = map(statistics.median, columns)
    return seconds, cpu, peak


def feast_python() -> str | None:
    """Python of an environment with Feast, made when it is not there; `None` where it cannot be made."""
    place, uv = HOME / "feast", Path(sys.executable).with_name("uv")
    python = place / "bin" / "python"
    if (place / ".ready").exists():
        return str(python)
    try:
        subprocess.run([uv, "venv", "-q", "--clear", "--python", sys.executable, place], check=True, timeout=60)
        install = [uv, "pip", "install", "-q", "--compile-bytecode", "--python", python, *FEAST]
        subprocess.run(install, check=True, timeout=600)
    except (OSError, subprocess.SubprocessError) as refused:
        print(f"\n!!! FEAST IS NOT MEASURED: it could not be installed ({refused}) !!!\n", flush=True)
        return None
    (place / ".ready").touch()
    return str(python)


def compare(folder: Path, runs: int, entities: int) -> None:
    """Run every peer, in turns, and print medians beside each other."""
    pythons = {peer: sys.executable for peer in PEERS if peer != "feast"}
    if python := feast_python():
        subprocess.run([python, __file__, "--peer", "apply", "--folder", folder], check=True, stdout=subprocess.DEVNULL)
        pythons["feast"] = python
    found: dict[str, list[Measured]] = {peer: [] for peer in pythons}
    for _ in range(runs):  # in turns, so that a neighbour on the machine slows all of them
        for peer, python in pythons.items():
            more = packages("polars") if peer == "polars" else {}
            found[peer].append(measured([python, __file__, "--peer", peer, "--folder", str(folder)], **more))
    truth, (base, base_cpu, _) = found["pandas"][0].answer, medians(found["updraft"])
    print(f"{'':8} {'whole process':>14} {'times ours':>11} {'CPU times ours':>15} {'peak MB':>8}   rows kept, values")
    for peer, all_runs in found.items():
        seconds, cpu, peak = medians(all_runs)
        answer = all_runs[0].answer
        same = all(math.isclose(answer[k], truth[k], rel_tol=1e-9, abs_tol=1e-6) for k in ("first", "last"))
        kept = f"{answer['rows']:.0f} of {entities}"
        print(
            f"{peer:8} {seconds:12.2f} s {seconds / base:11.1f} {cpu / base_cpu:15.1f} {peak:8.0f}   {kept}, ", end=""
        )
        print("equal" if same else "OTHER", flush=True)
    assert found["updraft"][0].answer["rows"] == entities


def main() -> None:
    """Measure and print; with `--peer`, be one of those measured."""
    said = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in {"runs": 3, "entities": 17_000, "views": 10, "features": 100, "versions": 3}.items():
        said.add_argument(f"--{name}", type=int, default=default)
    said.add_argument("--peer", help=argparse.SUPPRESS)
    said.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    asked = said.parse_args()
    if asked.peer == "data":
        generate(asked.folder, asked.entities, asked.views, asked.features, asked.versions)
    elif asked.peer == "apply":
        feast(asked.folder, applying=True)
    elif asked.peer:
        print(json.dumps(PEERS[asked.peer](asked.folder)))
    else:
        print(
            f"{asked.entities} entity rows, {asked.views} views of {asked.features} features, {asked.versions} ", end=""
        )
        print(f"versions each; medians of {asked.runs} runs on {os.cpu_count()} cores", flush=True)
        with TemporaryDirectory() as folder:
            subprocess.run([sys.executable, __file__, *sys.argv[1:], "--peer", "data", "--folder", folder], check=True)
            compare(Path(folder), asked.runs, asked.entities)


if __name__ == "__main__":
    main()

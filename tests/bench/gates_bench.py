"""What do the gates cost, and how often are they wrong about leaks?

First the demo's own data: a candidate is trained on the real flights of the first days of 2013 and examined on the
newest of them. Printed is each gate's time, what of it processors worked, the time as a multiple of one prediction of
the same held-out rows, what it says, and the look back (feature rows computed again, blind to what came after), which
is no gate but part of the stage.

Then rows made up: the share of leaks found where they were planted, by kind, and of alarms where none was.

    python tests/bench/gates_bench.py                         # 8,000 held-out rows
    python tests/bench/gates_bench.py --days 0 --draws 1000   # only the rows made up, more of them
"""

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
from asof_bench import FIRST, USE_CASES, median, raw

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests import planted

from updraft import dataset, features
from updraft.asof import raw_table
from updraft.demo.publisher import Publisher
from updraft.evidence import Evidence, examine, gates, leaks
from updraft.evidence.look import Look
from updraft.ingest.feed import Feed
from updraft.lake import Lake
from updraft.life import train as life
from updraft.life.hindsight import look_back
from updraft.model import store
from updraft.partition import calendar
from updraft.spec.load import load
from updraft.spec.model import UseCase


def flights(lake: Lake, days: int, holdout: int, families: list[str]) -> tuple[UseCase, str]:
    """Publish the raw rows of the first days and build their features; return the use case and the last day."""
    case = load("flight_delays", USE_CASES)
    changed = {"holdout": holdout, "families": tuple(families)}
    case = case.model_copy(update={"model": case.model.model_copy(update=changed)})
    dates = calendar(case)
    publisher, first = Publisher(Path(), dates), dates.at(FIRST)
    span = list(dates.between(first, dates.step(first, days - 1)))
    for source in case.sources:
        tables = [raw(case, source, publisher.rows(source, day), day) for day in span]
        lake.replace(raw_table(case, source), pa.concat_tables(tables), [day.key for day in span])
        Feed(case, source, lake).announce([day.key for day in span])
    features.build(case, [day.key for day in span], lake)
    return case, span[-1].key


def seen(case: UseCase, lake: Lake, at: str, rows: int) -> tuple[Evidence, Callable[[], Any]]:
    """Train at a day; return what the gates see of at most `rows` held-out rows, and the look back as a call."""
    day = calendar(case).at(at)
    made = life.fit(case, day, lake, code_version="bench", who="bench")
    model = store.load(lake, case.name, made.candidate)
    every = dataset.mature(case, lake, day).rows
    held = every[every["partition"].isin(model.manifest.windows["holdout"])].head(rows).reset_index(drop=True)
    old = every[every["partition"].isin(model.manifest.windows["train"])].reset_index(drop=True)
    back = lambda: look_back(case, lake, model)  # noqa: E731
    found = Evidence(
        y=held[case.label.column].to_numpy(float),
        blocks=held["partition"].to_numpy(),
        candidate=model.predict(held),
        family=model.family,
        baselines={f: store.load(lake, case.name, digest).predict(held) for f, digest in made.baselines.items()},
        rows=held,
        training=old,
        model=model,
        hindsight=back(),
    )
    print(f"{made.reason}\n{len(old)} training rows, {len(held)} held out, {len(case.features)} features", flush=True)
    return found, back


def cost(days: int, holdout: int, families: list[str], rows: int, runs: int) -> None:
    """Print what each gate costs on the demo's data."""
    with TemporaryDirectory() as folder:
        lake = Lake(os.path.join(folder, "lake"))
        case, at = flights(lake, days, holdout, families)
        evidence, back = seen(case, lake, at, rows)
        once = median(runs, lambda: evidence.model.predict(evidence.rows))
        print(f"one prediction of these rows: {once:.3f} s")
        for name, gate in gates.discover().items():
            took, worked = timed(runs, lambda gate=gate: gate(evidence, case))
            said = gate(evidence, case)
            words = "does not apply" if said is None else f"{said.outcome} ({case.gates.mode(name)}), {said.reason}"
            print(f"{name:12} {took:6.2f} s {worked:6.2f} s {took / once:7.1f} x  {words[:240]}", flush=True)
        for name, call in (("all, examined", lambda: examine(evidence, case)), ("look back", back)):
            took, worked = timed(runs, call)
            print(f"{name:12} {took:6.2f} s {worked:6.2f} s {took / once:7.1f} x")
        print(f"examined: {examine(evidence, case).outcome}")


def timed(runs: int, call: Callable[[], object]) -> tuple[float, float]:
    """Median seconds on the clock, and mean seconds of all processors, for which other programs do not count."""
    before = time.process_time()
    return median(runs, call), (time.process_time() - before) / runs


def errors(draws: int, per_day: int) -> None:
    """Print how often each planted leak is found, and how often one is found where there is none."""
    named, strangers, begun = Counter[str](), Counter[str](), time.perf_counter()
    for seed in range(draws):
        rows = planted.clean(seed, per_day=per_day)
        strangers["no leak"] += bool(kinds(rows))
        for name, (kind, subject, _) in planted.PLANTS.items():
            found = kinds(planted.plant(name, rows, seed))
            named[name] += (kind, subject) in found
            strangers[name] += bool(found - {(kind, subject)})
    print(f"{draws} draws of {per_day} rows a day, {time.perf_counter() - begun:.0f} s")
    print(f"{'planted':32} {'kind':12} {'found':>7} {'something else':>15}")
    print(f"{'nothing':32} {'':12} {'':>7} {strangers['no leak'] / draws:15.1%}")
    for name, (kind, _, _) in planted.PLANTS.items():
        print(f"{name:32} {kind:12} {named[name] / draws:7.1%} {strangers[name] / draws:15.1%}")


def kinds(rows: Any) -> set[tuple[str, str]]:
    """Kinds and subjects of the leaks found in rows."""
    look = Look(planted.unscored(rows), planted.case(), *planted.windows(rows))
    return {(leak.kind, leak.subject) for find in leaks.discover().values() for leak in find(look)}


def main() -> None:
    """Run both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=75, help="days of flights; 0 leaves them out")
    parser.add_argument("--holdout", type=int, default=10, help="of them, held out")
    parser.add_argument("--families", nargs="+", default=["lightgbm", "logistic"], help="that may become candidate")
    parser.add_argument("--rows", type=int, default=8000, help="most held-out rows")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--draws", type=int, default=200, help="draws of rows made up; 0 leaves them out")
    parser.add_argument("--per-day", type=int, default=150)
    asked = parser.parse_args()
    if asked.days:
        cost(asked.days, asked.holdout, asked.families, asked.rows, asked.runs)
    if asked.draws:
        errors(asked.draws, asked.per_day)


if __name__ == "__main__":
    main()

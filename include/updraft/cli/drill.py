"""`updraft drill`: is the monitor awake?"""

from pathlib import Path
from tempfile import TemporaryDirectory

import typer
from rich.console import Console
from rich.table import Column, Table

from updraft.drill import Drill, key, newest
from updraft.drill import drill as run
from updraft.errors import NoChampion
from updraft.lake import Lake
from updraft.partition import calendar
from updraft.settings import Settings
from updraft.spec import load

_EXIT = {"PASS": 0, "FAIL": 1, "INSUFFICIENT": 2}


def drill(console: Console, use_case: str, partition: str | None) -> None:
    """Drill the monitor at a partition, the newest that is scored when none is named, and print what came of it."""
    case, lake = load.load(use_case), Lake(Settings.from_env().lake)
    at = calendar(case).at(partition) if partition else newest(case, lake)
    if at is None:
        raise NoChampion(f"Nothing of {case.name} is watched yet.", next_step="train a model and score a partition.")
    with TemporaryDirectory(prefix="updraft-drill-") as folder:
        done = run(case, at, lake, Path(folder))
    _show(console, done)
    console.print(f"{done.outcome}; kept as {lake.location(key(case, done.partition))}", soft_wrap=True)
    if code := _EXIT[done.outcome]:
        raise typer.Exit(code)


def _show(console: Console, done: Drill) -> None:
    names = ("fault", "what", "had to show", "fired", "outcome", "because")
    shown = Table(*(Column(name, overflow="fold") for name in names))
    for one in done.exercises:
        shown.add_row(one.fault, one.what, ", ".join(one.expected), ", ".join(one.fired), one.outcome, one.why[:500])
    console.print(f"{done.use_case} at {done.partition}, champion {done.champion[:12]}")
    console.print(shown)

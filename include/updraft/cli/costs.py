"""`updraft costs`: what the work of use cases took and cost, by use case, owner or tag."""

from collections.abc import Sequence
from typing import Literal

from rich.console import Console
from rich.table import Column, Table

from updraft import operation
from updraft.lake import Lake
from updraft.operation import Total
from updraft.partition import calendar
from updraft.settings import Settings
from updraft.spec import load
from updraft.spec.load import Broken
from updraft.spec.model import UseCase

By = Literal["use_case", "owner", "tag"]


def show(console: Console, by: By, first: str | None, last: str | None) -> None:
    """Print a line per use case, owner or tag; a use case with two tags counts for both."""
    settings = Settings.from_env()
    lake, found = Lake(settings.lake), dict[str, Total]()
    for case in load.discover(settings.use_cases):
        if isinstance(case, Broken):
            console.print(f"{case.name} is left out: its spec is broken.")
            continue
        every = operation.total(case, operation.read(case, lake, _keys(case, first, last)))
        for name in _names(case, by):
            found[name] = found.get(name, Total()) + every
    console.print(_table(by, found))


def _keys(case: UseCase, first: str | None, last: str | None) -> Sequence[str] | None:
    if first is None:
        return None
    return calendar(case).keys(first, last or first)


def _names(case: UseCase, by: By) -> Sequence[str]:
    return {"use_case": (case.name,), "owner": (case.owner.name,), "tag": case.tags or ("untagged",)}[by]


def _table(by: By, found: dict[str, Total]) -> Table:
    table = Table(Column(by.replace("_", " "), overflow="fold"), title="What the work took")
    for name in ("tasks", "hours", "core hours", "GB at most", "predictions", "core seconds per 1,000", "cost"):
        table.add_column(name, justify="right", overflow="fold")
    for name, every in sorted(found.items()):
        table.add_row(
            name,
            f"{every.tasks:,}",
            f"{every.seconds / operation.HOUR:.3f}",
            f"{every.cpu_seconds / operation.HOUR:.3f}",
            f"{every.peak_memory / operation.GIGABYTE:.2f}",
            f"{every.predictions:,}",
            f"{every.per_thousand(every.cpu_seconds):.2f}" if every.predictions else "-",
            ", ".join(f"{price:.4g} {unit}" for unit, price in sorted(every.cost.items())) or "no rates",
        )
    return table

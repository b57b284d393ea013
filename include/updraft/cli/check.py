"""`updraft check`: are spec and queries fit to run?"""

import typer
from rich.console import Console

from updraft import features
from updraft.contract import check_conditions
from updraft.contract.features import tried
from updraft.errors import UpdraftError
from updraft.query import sources_of
from updraft.settings import Settings
from updraft.spec import load
from updraft.spec.load import Broken
from updraft.spec.model import UseCase


def check(console: Console, use_case: str | None) -> None:
    """Check one use case, or all; exit with 1 if one is broken."""
    cases = [load.load(use_case)] if use_case else load.discover()
    if not cases:
        console.print(f"There is no use case in {Settings.from_env().use_cases}; run this in the project's folder.")
        raise typer.Exit(1)
    broken = [case.name for case in cases if not _fit(console, case)]
    if broken:
        raise typer.Exit(1)


def _fit(console: Console, case: UseCase | Broken) -> bool:
    try:
        if isinstance(case, Broken):
            raise case.error
        for which in ("features", "label"):
            sources_of(case, case.sql(which), f"{which}.sql of {case.name}")
        for name, source in case.sources.items():
            check_conditions(source, f"sources.{name} of {case.name}")
        tried(case, features.schema(case), f"contract of {case.name}")
    except UpdraftError as problem:
        console.print(f"[red]✗[/red] {case.name}", highlight=False)
        console.print(str(problem), markup=False, soft_wrap=True)  # a path broken over two lines opens nothing
        return False
    console.print(f"[green]✓[/green] {case.name}: {len(case.sources)} sources, {len(case.features)} features")
    return True

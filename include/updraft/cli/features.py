"""`updraft features`: the feature sets that use cases share: what they tell, who answers for them, who reads them."""

import typer
from rich.console import Console

from updraft import features
from updraft.asof import shared_table
from updraft.contract.features import tried
from updraft.errors import UpdraftError
from updraft.lake import Lake
from updraft.query import shared_of, sources_of
from updraft.settings import Settings
from updraft.spec import load, shared
from updraft.spec.load import Broken
from updraft.spec.model import UseCase


def list_shared(console: Console) -> None:
    """Print every shared feature set; exit with 1 if one is broken."""
    settings = Settings.from_env()
    root, lake, broken = settings.use_cases, Lake(settings.lake), False
    found = shared.names(root)
    if not found:
        console.print(f"There is no shared feature set in {root / shared.FOLDER}.", soft_wrap=True)
    readers = {case.name: _read(case) for case in load.discover(root) if not isinstance(case, Broken)} if found else {}
    for name in found:
        try:
            lines = _told(name, [reader for reader, read in readers.items() if name in read], lake, settings)
        except UpdraftError as problem:
            broken, lines = True, [f"✗ {name}", str(problem)]
        console.print("\n".join(lines), markup=False, soft_wrap=True)
    if broken:
        raise typer.Exit(1)


def _told(name: str, readers: list[str], lake: Lake, settings: Settings) -> list[str]:
    declared, case = shared.declared(name, settings.use_cases), shared.as_case(name, settings.use_cases)
    features.fingerprint(case, name)  # refuses a query that could not run
    tried(case, features.schema(case, name), f"contract of {name}")
    sources, table = sources_of(case, case.sql(name), f"{name}.sql"), shared_table(name)
    return [
        f"{name}: {declared.about}",
        f"  owner     {declared.owner.name} <{declared.owner.email}>",
        f"  key       {', '.join(declared.key)}",
        *(f"  column    {own}: {column.type}  {column.about}".rstrip() for own, column in declared.columns.items()),
        f"  reads     {', '.join(sources)} of {declared.use_case}",
        f"  read by   {', '.join(readers) or 'nobody'}",
        f"  computed  {len(lake.partitions(table))} partitions, in {table}",
    ]


def _read(case: UseCase) -> list[str]:
    return shared_of(case, case.sql("features"), f"features.sql of {case.name}")

"""`updraft quarantine`: look at rows that are held; publish what passes by now, or decide that it never will be."""

import getpass
import json
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Column, Table

quarantine = typer.Typer(no_args_is_help=True, help="Look at rows that are held; replay or discard them.")
console = Console(highlight=False)

UseCaseName = Annotated[str, typer.Argument(help="Folder below include/use_cases.")]
SourceName = Annotated[str, typer.Argument(help="Name of the source in spec.yaml.")]
First = Annotated[str, typer.Option("--partition", help="Partition to work on, or the first of a span.")]
Through = Annotated[str | None, typer.Option(help="Last partition of the span.")]
Digest = Annotated[str, typer.Option(help="How the digest of the only delivery meant begins.")]
SHOWN = 50


@quarantine.command("list")
def list_(
    use_case: UseCaseName,
    source: Annotated[str | None, typer.Option(help="One source; all of them when left out.")] = None,
) -> None:
    """List deliveries of which rows are held: how many, and which rules they broke."""
    from updraft.ingest.held import held
    from updraft.lake import Lake
    from updraft.settings import Settings
    from updraft.spec import load

    case, lake = load.load(use_case), Lake(Settings.from_env().lake)
    found = [one for name in ([source] if source else case.sources) for one in held(case, name, lake)]
    names = ("source", "partition", "delivery", "outcome", "rows held", "rules broken", "such as")
    table = Table(*(Column(name, overflow="fold", no_wrap=name == "partition") for name in names))
    for one in found[:SHOWN]:
        rules = ", ".join(f"{rule} {count}" for rule, count in one.rules.items())
        where = (one.source, one.delivery.partition, one.delivery.delivery[:12], one.outcome)
        table.add_row(
            *where, str(one.rows), rules, _plain(one.sample[0].reason)[:80] if one.sample else _plain(one.why)
        )
    console.print(table)
    more = f"; {len(found) - SHOWN} deliveries more than shown" if len(found) > SHOWN else ""
    console.print(f"{sum(one.rows for one in found)} rows of {len(found)} deliveries are held{more}.")


@quarantine.command()
def show(
    use_case: UseCaseName,
    source: SourceName,
    partition: Annotated[str, typer.Option(help="Partition of the delivery.")],
    delivery: Digest = "",
    rows: Annotated[int, typer.Option(min=1, max=1000, help="How many rows to show at most.")] = 20,
) -> None:
    """Show the rejected rows of one delivery, with line, rule, reason and what was delivered."""
    from updraft.ingest.held import shown
    from updraft.lake import Lake
    from updraft.settings import Settings
    from updraft.spec import load

    lake = Lake(Settings.from_env().lake)
    one = shown(load.load(use_case), source, partition, lake, delivery=delivery, rows=rows)
    said = f"{source} {one.delivery.partition} {one.delivery.delivery[:12]} from {one.delivery.origin}"
    console.print(_plain(f"{said}: {one.outcome}, {one.rows} rows held; {one.why}"), markup=False, soft_wrap=True)
    for row in one.sample:
        where = f"row {row.row}" + (f", line {row.line}" if row.line else "")
        told = _plain(f"{where}: {row.rule}: {row.reason}: {row.original}")
        console.print(told, markup=False, soft_wrap=True)
    if one.report:
        console.print(f"report: {lake.location(one.report)}", markup=False, soft_wrap=True)


@quarantine.command()
def replay(
    use_case: UseCaseName,
    source: SourceName,
    partition: First,
    through: Through = None,
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Compute affected features and labels again.")] = False,
) -> None:
    """Judge held rows by today's spec, from the bytes in the lake, and publish what passes."""
    _act(use_case, "replay", source, partition, through, rebuild=rebuild)


@quarantine.command()
def discard(
    use_case: UseCaseName,
    source: SourceName,
    partition: First,
    why: Annotated[str, typer.Option(help="The reason, for the record.")],
    through: Through = None,
    delivery: Digest = "",
) -> None:
    """Decide that rows that are held now are never published; they stay on record."""
    _act(use_case, "discard", source, partition, through, why=why, delivery=delivery)


def _act(
    use_case: str, action: str, source: str, partition: str, through: str | None, *,
    why: str = "", delivery: str = "", rebuild: bool = False,
) -> None:  # fmt: skip
    from updraft.lake import Lake
    from updraft.life.quarantine import act
    from updraft.partition import calendar
    from updraft.settings import Settings
    from updraft.spec import load

    case = load.load(use_case)
    keys, lake = calendar(case).keys(partition, through or partition), Lake(Settings.from_env().lake)
    who = f"{getpass.getuser()}, by hand"
    done = act(case, action, source, keys, lake, who=who, why=why, delivery=delivery, rebuild=rebuild)
    console.print_json(json.dumps(done), indent=None)


def _plain(text: str) -> str:
    """Text that a supplier wrote, without what a terminal would obey.

    >>> _plain("a" + chr(27) + "[2Jb")
    'a\\\\x1b[2Jb'
    """
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)

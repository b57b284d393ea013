"""`updraft ledger`: every decision about a use case's models, and whether the record of them is whole."""

import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.padding import Padding

ledger = typer.Typer(no_args_is_help=True, help="Show the decisions about a use case's models; verify their record.")
console = Console(highlight=False)

UseCaseName = Annotated[str, typer.Argument(help="Folder below include/use_cases.")]


@ledger.command()
def show(
    use_case: UseCaseName,
    last: Annotated[int, typer.Option(min=1, help="How many of the newest records to show.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="One record a line, whole, as JSON.")] = False,
) -> None:
    """Show who or what decided what about which model, when and why; the newest last."""
    from updraft.lake import Lake
    from updraft.ledger import Ledger
    from updraft.settings import Settings
    from updraft.spec import load

    records = Ledger(Lake(Settings.from_env().lake), load.load(use_case).name).records()
    if as_json:
        for record in records[-last:]:
            typer.echo(json.dumps(asdict(record), sort_keys=True))
        return
    for record in records[-last:]:
        when, model = record.at[:19].replace("T", " "), (record.model or "")[:12]
        about = f"{record.kind:11} {model:12} {record.partition or ''}".rstrip()
        console.print(f"[bold]{record.sequence:5}  {when}  {about}[/bold]", soft_wrap=True)
        console.print(Padding(f"{_plain(record.why)} [dim]({_plain(record.who)})[/dim]", (0, 0, 0, 7)))
    earlier = f"; {len(records) - last} earlier ones are not shown" if len(records) > last else ""
    console.print(f"{len(records)} records{earlier}")


@ledger.command()
def verify(use_case: UseCaseName) -> None:
    """Check every record and the order of them, and what the scores and MLflow remember; name what does not hold."""
    from updraft.lake import Lake
    from updraft.life.audit import audit
    from updraft.registry import Registry
    from updraft.settings import Settings
    from updraft.spec import load

    settings, case = Settings.from_env(), load.load(use_case)
    count, found, unheard = audit(case, Lake(settings.lake), Registry(settings.tracking, settings.artifacts))
    for line in [*found, *(f"not heard: {witness}" for witness in unheard)]:
        console.print(_plain(line), soft_wrap=True)
    if found:
        raise typer.Exit(1)
    console.print(f"{case.name}: {count} records, each as it was written")


@ledger.command()
def retire(
    use_case: UseCaseName,
    model: Annotated[str, typer.Argument(help="How the digest of the model begins.")],
    why: Annotated[str, typer.Option(help="The reason, for the ledger.")],
) -> None:
    """Take a model out for good: it is neither fallen back to nor promoted again."""
    import getpass

    from updraft.lake import Lake
    from updraft.life import promotion
    from updraft.registry import Registry
    from updraft.settings import Settings
    from updraft.spec import load

    case, who, settings = load.load(use_case), f"{getpass.getuser()}, by hand", Settings.from_env()
    registry = Registry(settings.tracking, settings.artifacts)
    found = promotion.retire(case, Lake(settings.lake), registry, model, who=who, why=why)
    console.print(f"{case.name}: {found[:12]} is retired")


def _plain(text: str) -> str:
    """Text that others wrote, without what a terminal would obey, nor what rich would read as markup.

    >>> _plain("[red]a" + chr(27) + "[2J")
    '\\\\[red]a\\\\x1b[2J'
    """
    from rich.markup import escape

    return escape("".join(c if c.isprintable() else repr(c)[1:-1] for c in text))

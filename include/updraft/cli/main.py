"""The command `updraft`: one verb per file, errors as messages that say the next step."""

import os
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console

from updraft.cli.ledger import ledger
from updraft.cli.quarantine import quarantine
from updraft.errors import UpdraftError
from updraft.local.environment import quiet

# Before any library is imported that would send telemetry.
os.environ.update(quiet())

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Machine-learning models kept aloft on Apache Airflow."
)
console = Console(highlight=False)

UseCaseName = Annotated[str, typer.Argument(help="Folder below include/use_cases.")]


@app.command()
def check(
    use_case: Annotated[str | None, typer.Argument(help="One use case; all of them when left out.")] = None,
) -> None:
    """Read specs and queries and say what is wrong with them; writes nothing."""
    from updraft.cli.check import check as run

    run(console, use_case)


@app.command()
def run(
    use_case: UseCaseName,
    stage: Annotated[str, typer.Argument(help="ingest, features, score, monitor, train, retrain, or life for all.")],
    partition: Annotated[str, typer.Option(help="Partition to work on, or the first of a span.")],
    through: Annotated[str | None, typer.Option(help="Last partition of the span.")] = None,
) -> None:
    """Run a stage, or a whole life, without Airflow; it is the same code."""
    from updraft.cli.run import run as start

    start(console, use_case, stage, partition, through or partition)


@app.command()
def status(
    use_case: UseCaseName,
    deliveries: Annotated[bool, typer.Option("--deliveries", help="List what was delivered instead.")] = False,
) -> None:
    """Show champion, partitions, incidents and decisions of a use case; or what was delivered."""
    from updraft.cli.status import deliveries as list_
    from updraft.cli.status import status as show

    (list_ if deliveries else show)(console, use_case)


@app.command()
def explain(
    use_case: UseCaseName,
    entity: Annotated[str, typer.Argument(help="Values of the entity: `a,b`, or `name=value,name=value`.")],
    partition: Annotated[str, typer.Argument(help="Partition of the prediction.")],
    as_json: Annotated[bool, typer.Option("--json", help="Everything, as JSON.")] = False,
) -> None:
    """Show everything behind one prediction and recompute it; exit 1 if any of it was changed."""
    from updraft.cli.explain import explain as show

    show(console, use_case, entity, partition, as_json=as_json)


app.add_typer(quarantine, name="quarantine")
app.add_typer(ledger, name="ledger")


@app.command()
def profile(
    subject: Annotated[str, typer.Argument(help="A file, or a use case.")],
    source: Annotated[str | None, typer.Argument(help="A source of the use case; left out for a file.")] = None,
) -> None:
    """Propose columns and a contract, as YAML to edit, from a file or from what has landed of a source."""
    from updraft.cli.profile import profile as propose

    propose(console, subject, source)


@app.command()
def features() -> None:
    """List the feature sets that use cases share, with owner and meaning."""
    from updraft.cli.features import list_shared

    list_shared(console)


@app.command()
def costs(
    by: Annotated[Literal["use_case", "owner", "tag"], typer.Option(help="What to add up by.")] = "use_case",
    partition: Annotated[str | None, typer.Option(help="Only this partition, or the first of a span.")] = None,
    through: Annotated[str | None, typer.Option(help="Last partition of the span.")] = None,
) -> None:
    """Show what the tasks of use cases took, and what 1,000 predictions cost."""
    from updraft.cli.costs import show

    show(console, by, partition, through)


@app.command()
def report(
    use_case: UseCaseName,
    asked: Annotated[str, typer.Argument(metavar="PARTITION|MONTH", help="A partition, or a month such as 2024-01.")],
    to: Annotated[Path | None, typer.Option(help="File to write; <use case>-<partition>.html here by default.")] = None,
) -> None:
    """Write the monitoring report of a partition or a month, as one HTML page."""
    from updraft.cli.report import report as write

    write(console, use_case, asked, to)


@app.command()
def rollback(
    use_case: UseCaseName,
    why: Annotated[str, typer.Option(help="The reason, for the ledger.")],
) -> None:
    """Go back to the champion before; it counts from the next scoring run."""
    from updraft.cli.rollback import rollback as go_back

    go_back(console, use_case, why)


@app.command()
def replay(
    use_case: UseCaseName,
    first: Annotated[str, typer.Option("--from", help="First partition of the span.")],
    last: Annotated[str, typer.Option("--to", help="Last partition of the span.")],
    policy: Annotated[list[str] | None, typer.Option(help="never, monthly, drift or always; drift when none.")] = None,
    spec: Annotated[list[Path] | None, typer.Option(help="An edited spec.yaml, held against the one there is.")] = None,
) -> None:
    """Live through a span of history again under other policies, beside the live lake, and compare them."""
    from updraft.cli.replay import replay as live_again

    live_again(console, use_case, first, last, policy or ["drift"], spec or [])


@app.command()
def drill(
    use_case: UseCaseName,
    partition: Annotated[str | None, typer.Option(help="A scored partition; the newest when left out.")] = None,
) -> None:
    """Put known faults into copies and see whether the monitor raises each alarm; exit 1 if not, 2 if none can be."""
    from updraft.cli.drill import drill as run_drill

    run_drill(console, use_case, partition)


@app.command()
def demo(
    short: Annotated[bool, typer.Option("--short", help="Three days in place of four weeks; no drift shows.")] = False,
) -> None:
    """Run the life of the flight_delays use case on a real Airflow, and leave the UIs running."""
    from updraft.cli.demo import demo as tell

    tell(console, short=short)


@app.command()
def stop() -> None:
    """Stop the Airflow and MLflow that `updraft demo` left running."""
    from updraft.local.processes import Processes
    from updraft.settings import Settings

    ended = Processes(Settings.from_env().home).stop()
    console.print(f"Stopped {', '.join(ended)}." if ended else "Nothing was running.")


def main() -> None:
    """Run the command; an error that Updraft raised is a message, not a traceback."""
    try:
        app()
    except UpdraftError as problem:
        Console(stderr=True, highlight=False).print(f"[red]{type(problem).__name__}[/red]: ", end="")
        sys.stderr.write(f"{problem}\n")
        sys.exit(1)

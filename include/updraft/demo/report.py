"""The end of the demo: what came of it, and where to look."""

from rich.console import Console
from rich.panel import Panel
from rich.table import Table

from updraft.demo.plan import Plan
from updraft.demo.summary import Summary, Timing
from updraft.local.installation import Installation
from updraft.spec.model import UseCase


def report(
    console: Console, case: UseCase, plan: Plan, told: Summary, where: Timing, running: Installation, *, minutes: float
) -> None:
    """Print the summary, the decisions with their reasons, the times and the addresses."""
    console.print()
    console.print(
        f"[bold]{case.name}[/bold], {plan.daily[0]} to {plan.daily[1]}: {told.partitions} partitions, "
        f"{told.scored} rows scored, {told.refused} refused, {told.acted} warnings, {told.quarantined} rows quarantined"
    )
    console.print(_performance(told))
    console.print(_decisions(told))
    console.print(_times(where, minutes))
    console.print(
        Panel(
            f"Airflow  {running.airflow_url}  user admin, password {running.password}\n"
            f"MLflow   {running.mlflow_url}\n"
            f"`make stop` stops both, `make clean` removes everything.",
            title="Left running, on this machine only",
            expand=False,
        )
    )


def _performance(told: Summary) -> Table:
    table = Table("on matured rows", "AUC", "Brier", "log loss", title=f"{told.matured} rows", title_justify="left")
    for name, found in (("champion, as scored", told.champion), ("first model, frozen", told.frozen)):
        table.add_row(name, *(f"{found[metric]:.4f}" for metric in ("auc", "brier", "log_loss")))
    return table


def _decisions(told: Summary) -> Table:
    table = Table("#", "partition", "what", "model", "why", title="The ledger", title_justify="left")
    for record in told.decisions:
        table.add_row(str(record.sequence), record.partition, record.kind, (record.model or "")[:8], record.why[:300])
    return table


def _times(where: Timing, minutes: float) -> Table:
    table = Table("stage", "task seconds", title=f"{minutes:.1f} minutes in all", title_justify="left")
    for stage, seconds in where.seconds.items():
        table.add_row(stage, f"{seconds:.1f}")
    table.add_row("overhead", f"{where.overhead:.2f} median per warm task ({where.tasks} tasks)")
    return table

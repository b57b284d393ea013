"""`updraft status`: where a use case stands."""

import getpass
from datetime import UTC, datetime

from rich.console import Console
from rich.table import Column, Table

from updraft import features, score
from updraft.alert.outbox import Outbox
from updraft.alert.render import subject
from updraft.asof import raw_table
from updraft.ingest.account import account
from updraft.ingest.feed import Feed
from updraft.lake import Lake
from updraft.ledger import Ledger
from updraft.life import promotion, sweep
from updraft.records import reasons
from updraft.registry import Registry
from updraft.settings import Settings
from updraft.spec import load


def status(console: Console, use_case: str) -> None:
    """Print champion, partitions and holes per table, newest decisions; mend the alias in MLflow if it was moved."""
    settings, case = Settings.from_env(), load.load(use_case)
    lake = Lake(settings.lake)
    ledger = Ledger(lake, case.name)
    ledger.verify()
    state = ledger.state()
    console.print(
        f"[bold]{case.name}[/bold]  champion {(state.champion or 'none')[:12]}, ledger of {state.head} records"
    )
    if state.champion:
        registry = Registry(settings.tracking, settings.artifacts)
        mended = promotion.repair(case, lake, registry, who=f"{getpass.getuser()}, by hand")
        console.print(mended or "the registry's alias follows the ledger")
    console.print(_partitions(lake, {f"raw {name}": raw_table(case, name) for name in case.sources} | {
        "features": features.table(case), "labels": features.table(case, "label"), "scores": score.table(case)
    }))  # fmt: skip
    through = sweep.newest_due(case, lake, datetime.now(UTC))
    for line in sweep.told(sweep.holes(case, lake, settings.inbox, through)):
        console.print(f"hole: {line}", markup=False, soft_wrap=True)
    for kept in Outbox(case, lake, settings.runbooks).unresolved():
        since = f"{datetime.fromisoformat(kept.alert.at):%Y-%m-%d %H:%M} UTC"
        said = f"open: {subject(kept.alert)}, since {since}, {kept.alert.runbook}"
        console.print(said, markup=False, soft_wrap=True)
    newest = state.records[-10:]
    why = reasons(newest)
    for record in newest:
        action = f"{record.facts['action']}: " if "action" in record.facts else ""
        console.print(
            f"{record.sequence:>4} {record.partition or '':10} {record.kind:10} {action}{why[record.sequence]}",
            markup=False,
            soft_wrap=True,
        )


def deliveries(console: Console, use_case: str) -> None:
    """Print what was delivered, newest partition last, and what became of it."""
    case, lake = load.load(use_case), Lake(Settings.from_env().lake)
    names = ("source", "rows", "bytes", "delivery", "landed", "outcome", "published", "held")
    shown = Table(Column("partition", no_wrap=True), *(Column(name, overflow="fold") for name in names))
    there = {name: Feed(case, name, lake).partitions() for name in case.sources}
    found = [(name, one) for name, keys in there.items() for one in account(case, name, keys, lake)]
    for name, one in sorted(found, key=lambda pair: (pair[1].delivery.partition, pair[0], pair[1].delivery.landed)):
        own, counts = one.delivery, (str(one.published), str(one.held))
        landed = own.landed.strftime("%Y-%m-%d %H:%M:%S")
        size = (str(own.rows), str(own.bytes), own.delivery[:12])
        shown.add_row(own.partition, name, *size, landed, one.outcome if one.adds_up else "interrupted", *counts)
    console.print(shown)
    console.print(f"{len(found)} deliveries; the same bytes again are none.")


def _partitions(lake: Lake, tables: dict[str, str]) -> Table:
    shown = Table("table", "partitions", "first", "last")
    for name, table in tables.items():
        keys = lake.partitions(table)
        shown.add_row(name, str(len(keys)), keys[0] if keys else "", keys[-1] if keys else "")
    return shown

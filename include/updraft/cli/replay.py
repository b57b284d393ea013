"""`updraft replay`: what would have become of the models under other policies?"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from updraft.lake import Lake
from updraft.partition import calendar
from updraft.replay import Report, arms, page, place
from updraft.replay import replay as live_again
from updraft.settings import Settings
from updraft.spec import load


def replay(
    console: Console, use_case: str, first: str, last: str, policies: Sequence[str], specs: Sequence[Path]
) -> None:
    """Live through a span under each policy, and print what came of it side by side."""
    settings, case = Settings.from_env(), load.load(use_case)
    keys, lake = calendar(case).keys(first, last), Lake(settings.lake)
    folder = place(case, lake, settings.home, keys)
    lived = arms(case, policies, specs, folder)

    def told(name: str, key: str, stages: Sequence[dict[str, Any]]) -> None:
        for stage in stages:
            if stage["stage"] == "train":
                console.print(f"{name}, {key}: training {stage['outcome']}, {stage['seconds']:.0f} s")

    report = live_again(case, lake, folder, keys, lived, told)
    show(console, report)
    console.print(f"report: {folder / 'report.html'}", soft_wrap=True)
    if report.touched:
        named = ", ".join(report.touched[:3])
        console.print(f"others changed {len(report.touched)} files of the live lake meanwhile: {named}", soft_wrap=True)
    else:
        console.print(f"the live lake is as it was, seal {report.seal[:12]}")


def show(console: Console, report: Report) -> None:
    """Print a policy per column, so that many numbers fit."""
    console.print(f"{report.use_case}, {report.first} to {report.last}: {report.rows} rows that came true")
    shown = Table("", *report.arms)
    lines = [page.line(arm) for arm in report.arms.values()]
    for number, head in enumerate(page.heads(report)):
        shown.add_row(head, *(line[number] for line in lines))
    for metric, found in page.months(report).items():
        shown.add_section()
        for number, month in enumerate(found["months"]):
            shown.add_row(f"{metric} {month}", *(cells[number] for cells in found["lines"].values()))
    console.print(shown)

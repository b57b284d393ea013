"""`updraft report`: how a use case has been doing, as a page to open or to send."""

from pathlib import Path

from rich.console import Console

from updraft.lake import Lake
from updraft.life import health
from updraft.settings import Settings
from updraft.spec import load


def report(console: Console, use_case: str, asked: str, to: Path | None) -> None:
    """Write the page to a file."""
    case = load.load(use_case)
    page = health.report(case, asked, Lake(Settings.from_env().lake))
    file = to or Path(f"{case.name}-{asked}.html")
    file.write_bytes(page)
    console.print(f"{file} tells how {case.name} has been doing.", soft_wrap=True)

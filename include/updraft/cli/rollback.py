"""`updraft rollback`: back to the champion before."""

import getpass

from rich.console import Console

from updraft.lake import Lake
from updraft.life import promotion
from updraft.registry import Registry
from updraft.settings import Settings
from updraft.spec import load


def rollback(console: Console, use_case: str, why: str) -> None:
    """Go back to the newest earlier champion that loads, and say which."""
    settings, case = Settings.from_env(), load.load(use_case)
    registry = Registry(settings.tracking, settings.artifacts)
    done = promotion.roll_back(case, Lake(settings.lake), registry, who=getpass.getuser(), why=why)
    console.print(
        f"{case.name}: {done.outcome}; champion is {(done.champion or 'none')[:12]} from the next scoring run on"
    )

"""`updraft run`: a stage, or a whole life, without Airflow."""

import json

from rich.console import Console

from updraft.errors import PartitionInvalid, did_you_mean
from updraft.lake import Lake
from updraft.life.run import STAGES, Life
from updraft.partition import calendar
from updraft.registry import Registry
from updraft.settings import Settings
from updraft.spec import load


def run(console: Console, use_case: str, stage: str, first: str, last: str) -> None:
    """Run a stage for the partitions from `first` to `last` and print what came of it."""
    settings, case = Settings.from_env(), load.load(use_case)
    if stage not in STAGES:
        raise PartitionInvalid(f"There is no stage {stage!r}; {did_you_mean(stage, STAGES)}", next_step="name a stage.")
    keys = calendar(case).keys(first, last)
    life = Life(case, Lake(settings.lake), Registry(settings.tracking, settings.artifacts), settings.inbox)
    for told in getattr(life, stage)(keys):
        console.print_json(json.dumps(told), indent=None)

"""`updraft demo`: the life of a model on real flights and a real Airflow, told as it happens."""

import time
from concurrent.futures import ThreadPoolExecutor

from rich.console import Console

from updraft.demo import summary
from updraft.demo.board import Board
from updraft.demo.plan import FULL, SHORT
from updraft.demo.publisher import Publisher
from updraft.demo.report import report
from updraft.demo.story import CASE, Story
from updraft.demo.view import View
from updraft.errors import Permanent
from updraft.lake import Lake
from updraft.local import installation
from updraft.local.installation import Installation
from updraft.partition import calendar
from updraft.settings import Settings
from updraft.spec import load
from updraft.spec.model import UseCase

GLANCE = 0.4  # seconds between two looks at the runs


def demo(console: Console, *, short: bool) -> None:
    """Start everything, live through the plan, print what came of it."""
    settings, plan, began = Settings.from_env(), SHORT if short else FULL, time.monotonic()
    case, lake = load.load(CASE), Lake(settings.lake)
    if lake.partitions(f"scores/{CASE}"):
        raise Permanent("The demo has run here before.", next_step="run `make clean`, then `make demo` again.")
    view = View(console)
    with view.shown():
        story, running = _prepare(settings, case, view)
        story.live(plan)
        view.chapter("Adding up")
        with ThreadPoolExecutor(1) as beside:
            where = beside.submit(summary.timing, running.api, case, story.runs, warm_from=_warm(story))
            told = summary.summarise(case, lake, *plan.daily)
    report(console, case, plan, told, where.result(), running, minutes=(time.monotonic() - began) / 60)


def _prepare(settings: Settings, case: UseCase, view: View) -> tuple[Story, Installation]:
    view.chapter("Starting Airflow (SQLite, LocalExecutor) and MLflow")
    running = installation.start(settings)
    publisher = Publisher(settings.inbox, calendar(case))
    publisher.rows("schedule", calendar(case).first)  # reads the flights while Airflow starts
    installation.wait_ready(running, {f"{CASE}__{stage}" for stage in installation.STAGES})
    board = Board(running.api, running.processes, glance=GLANCE)
    return Story(running.api, board, publisher, calendar(case), view), running


def _warm(story: Story) -> int:
    """Place of the first run of the daily part: by then every process has imported what it needs."""
    return next(place for place, (stage, _) in enumerate(story.runs) if stage == "score")

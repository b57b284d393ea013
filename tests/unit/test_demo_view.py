import io
import re

import pytest
from rich.console import Console

from updraft.demo.view import COLUMNS, SHOWN, View


def view(**how):
    console = Console(file=io.StringIO(), width=100, highlight=False, **how)
    return View(console), console


def shown(console):
    """What stands on the console, without colours and movements of the cursor."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", console.file.getvalue())


def rendered(told):
    console = Console(file=io.StringIO(), width=100, color_system=None)
    console.print(told._render())
    return console.file.getvalue()


def test_off_a_terminal_it_prints_a_line_per_event_and_per_day_that_is_done():
    told, console = view()
    with told.shown():
        told.chapter("Day by day")
        for stage in COLUMNS:
            told.stage("2013-06-11", stage, "running")
            told.stage("2013-06-11", stage, "success")
        told.event("2013-06-11", "incident lasts; decision: [none], because")
    assert shown(console).splitlines() == [
        "0:00 Day by day",
        "0:00 2013-06-11 ingested, built, scored, monitored",
        "0:00 2013-06-11 incident lasts; decision: [none], because",
    ]


def test_off_a_terminal_a_long_line_stays_one():
    told, console = view()
    told.event("2013-06-11", "because " * 40)
    assert len(shown(console).splitlines()) == 1


@pytest.mark.parametrize(("state", "sign"), [("running", "…"), ("success", "✓"), ("failed", "✗")])
def test_on_a_terminal_every_stage_of_a_day_has_its_sign(state, sign):
    told, _ = view(force_terminal=True)
    told.stage("2013-06-11", "score", state)
    [day] = [line for line in rendered(told).splitlines() if line.startswith("2013-06-11")]
    assert day.split() == ["2013-06-11", sign]


def test_on_a_terminal_the_newest_days_and_events_are_shown_below_the_title():
    told, _ = view(force_terminal=True)
    told.title = "Day by day"
    for number in range(1, 21):
        told.stage(f"2013-06-{number:02}", "ingest", "success")
        told._events.append(f"event {number}")
    text = rendered(told)
    days = [line[:10] for line in text.splitlines() if line.startswith("2013-06")]
    assert days == [f"2013-06-{number:02}" for number in range(21 - SHOWN, 21)]
    assert "Day by day" in text
    assert "event 20" in text
    assert "event 1\n" not in text


def test_on_a_terminal_it_is_kept_up_to_date_and_left_standing():
    told, console = view(force_terminal=True)
    with told.shown():
        told.chapter("Day by day")
        told.stage("2013-06-11", "ingest", "success")
        told.event("2013-06-11", "something happened")
    text = shown(console)
    assert "2013-06-11" in text
    assert "✓" in text
    assert "something happened" in text
    assert told._live is None


def test_the_clock_counts_minutes_and_seconds_from_the_beginning():
    told, _ = view()
    told.began -= 125
    assert told._clock() == "2:05"

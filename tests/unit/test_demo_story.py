"""The demo's story, told by a client of Airflow's API to an Airflow that is played; deliveries are real files."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.plugins.plays_airflow import Airflow
from tests.plugins.served import serve

from updraft.demo import story as module
from updraft.demo.board import Board
from updraft.demo.plan import Plan
from updraft.demo.publisher import Publisher
from updraft.demo.story import Story
from updraft.errors import Permanent
from updraft.local.airflow_api import AirflowApi
from updraft.local.processes import Processes
from updraft.partition import calendar
from updraft.spec import load

pytestmark = pytest.mark.slow

DATES = calendar(load.load("flight_delays", Path(__file__).parents[2] / "include" / "use_cases"))
PLAN = Plan(
    history=("2013-01-01", "2013-01-05"),
    first_training="2013-01-05",
    catch_up=("2013-01-06", "2013-01-06"),
    daily=("2013-01-07", "2013-01-10"),
    renamed="2013-01-10",
    corrupt="2013-01-08",
    corrected="2013-01-07",
)
DAYS = ["2013-01-07", "2013-01-08", "2013-01-09", "2013-01-10"]


class Audience:
    """Keeps what it is told."""

    def __init__(self):
        self.chapters, self.stages, self.events = [], [], []

    def chapter(self, title):
        self.chapters.append(title)

    def stage(self, partition, stage, state):
        self.stages.append((partition, stage, state))

    def event(self, partition, text):
        self.events.append((partition, text))


@pytest.fixture(scope="module")
def flights(tmp_path_factory):
    read = Publisher(tmp_path_factory.mktemp("inbox"), DATES)
    read.rows("schedule", DATES.first)
    return read


@pytest.fixture
def told(flights, tmp_path, monkeypatch):
    """Live through a plan with an Airflow that behaves as the test says."""
    monkeypatch.setattr(module, "PATIENCE", 20.0)

    def told(plan=PLAN, **behaviour):
        publisher = Publisher(tmp_path / "inbox", DATES)
        publisher._tables = flights._tables
        airflow = Airflow(tmp_path / "inbox", **behaviour)
        with serve(airflow.answer) as url:
            api = AirflowApi(url, "x")
            board = Board(api, Processes(tmp_path), glance=0.01)
            story = Story(api, board, publisher, DATES, Audience())
            story.live(plan)
        return story, airflow

    return told


def test_history_and_catching_up_are_bulk_work_and_every_day_is_a_run_of_its_own(told):
    _, airflow = told()
    spans = [(stage, conf) for stage, partition, conf in airflow.asked if partition is None]
    assert ("ingest", {"partition": "2013-01-01", "through": "2013-01-05"}) in spans
    assert ("train", {"partition": "2013-01-05"}) in spans
    assert ("ingest", {"partition": "2013-01-06", "through": "2013-01-06"}) in spans
    built = [(conf["partition"], conf["through"]) for stage, conf in spans if stage == "features"]
    assert [key for first, last in sorted(built) for key in DATES.keys(first, last)] == DATES.keys(
        "2013-01-01", "2013-01-06"
    )
    daily = [partition for stage, partition, _ in airflow.asked if partition is not None and stage == "ingest"]
    assert daily == ["2013-01-07", "2013-01-07", "2013-01-08", "2013-01-08", "2013-01-09", "2013-01-10", "2013-01-10"]


def test_what_a_run_reads_is_delivered_before_it_starts(told, tmp_path):
    told()
    for source in ("schedule", "outcomes", "weather"):
        delivered = {file.stem for file in (tmp_path / "inbox" / "flight_delays" / source).iterdir()}
        assert delivered == set(DATES.keys("2013-01-01", "2013-01-10"))


def test_the_audience_sees_every_stage_of_every_day_begin_and_end(told):
    story, _ = told()
    for day in DAYS:
        seen = [(stage, state) for partition, stage, state in story.audience.stages if partition == day]
        stages = ("ingest", "features", "score", "monitor")
        again = stages[1:] if day == PLAN.corrected else ()
        assert seen == [(stage, state) for stage in (*stages, *again) for state in ("running", "success")]
    assert len(story.audience.chapters) == 3


def test_every_run_is_kept_in_order_of_its_day(told):
    story, airflow = told()
    assert len(story.runs) == len(set(story.runs))
    assert {run for run in story.runs if run[0] != "ingest"} == {run for run in airflow.runs if run[0] != "ingest"}
    for day in DAYS:
        own = [stage for stage, run_id in story.runs if airflow.runs[stage, run_id]["partition_key"] == day]
        times = 2 if day == PLAN.corrected else 1
        assert [stage for stage in own if stage != "ingest"] == ["features", "score", "monitor"] * times


def test_a_broken_delivery_is_blocked_told_and_sent_again(told, tmp_path):
    story, airflow = told()
    states = [run["state"] for (stage, _), run in airflow.runs.items() if stage == "ingest" and run["partition_key"]]
    assert states == ["success", "success", "failed", "success", "success", "failed", "success"]
    events = [(partition, text) for partition, text in story.audience.events if partition in DAYS]
    assert events == [
        (
            "2013-01-07",
            "outcomes of one airline are corrected; from now on the new version counts. "
            "Features of 2013-01-07 were computed without it, policy: keep",
        ),
        (
            "2013-01-08",
            "outcomes whose delays a spreadsheet has destroyed: not let in, outcomes.publish broke in attempt 2",
        ),
        ("2013-01-08", "the airline sends it again, as it should be"),
        ("2013-01-10", "a schedule with a column renamed: not let in, outcomes.publish broke in attempt 2"),
        ("2013-01-10", "the airline sends it again, as it should be"),
    ]
    assert "#REF!" not in (tmp_path / "inbox/flight_delays/outcomes/2013-01-08.csv").read_text()
    assert "destination" not in (tmp_path / "inbox/flight_delays/schedule/2013-01-10.csv").read_text()


def test_the_first_champion_is_told(told):
    story, _ = told()
    assert ("2013-01-05", "lightgbm candidate c0ffeec0: promoted, PASS, all 3 gates") in story.audience.events


def test_an_incident_that_asks_for_a_training_is_followed_to_its_end(told):
    story, _ = told(incidents={"2013-01-09": "retrain"})
    assert story.incidents == ["2013-01-09"]
    assert ("train", "retrain__2013-01-09") in story.runs
    assert [text for partition, text in story.audience.events if partition == "2013-01-09"] == [
        "incident lasts; decision: retrain, because the scores moved",
        "lightgbm candidate c0ffeec0: promoted, PASS, all 3 gates",
    ]


def test_an_incident_that_asks_for_nothing_is_told_with_its_reason(told):
    story, _ = told(incidents={"2013-01-09": "none", "2013-01-10": "none"})
    assert sorted(story.incidents) == ["2013-01-09", "2013-01-10"]
    assert ("2013-01-10", "incident lasts; decision: none, because the scores moved") in story.audience.events


def test_an_incident_that_is_over_is_told_and_not_counted(told):
    story, _ = told(incidents={"2013-01-09": "none", "2013-01-10": "none/calm"})
    assert story.incidents == ["2013-01-09"]
    assert ("2013-01-10", "incident is over; decision: none, because the scores moved") in story.audience.events
    assert not [run for run in story.runs if run[1].startswith("retrain__")]


@pytest.mark.parametrize("stage", ["ingest", "features", "score"])
def test_a_run_that_fails_ends_the_story_with_its_log(told, stage):
    with pytest.raises(
        Permanent, match=rf"(?s){stage} .* failed:.*broke in attempt 2.*look at the run in the Airflow UI"
    ):
        told(fails=stage)


def test_a_broken_delivery_that_is_let_through_ends_the_story(told, monkeypatch):
    monkeypatch.setattr(Airflow, "_spoilt", lambda *_: False)
    with pytest.raises(Permanent, match=r"was let in\. Next: read the validation report"):
        told()


def test_a_stage_that_nothing_wakes_ends_the_story(told, monkeypatch):
    monkeypatch.setattr(module, "PATIENCE", 1.0)
    with pytest.raises(Permanent, match=r"No run of score was started for 2013-01-\d\d\. Next: read"):
        told(deaf="score")


def test_a_plan_without_a_broken_delivery_has_none(told):
    story, _ = told(replace(PLAN, corrupt="", renamed="", corrected=""))
    assert not [text for _, text in story.audience.events if "not let in" in text]

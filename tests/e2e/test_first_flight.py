"""A short life on a real Airflow: bulk history, a champion, three days, a broken delivery, a task killed mid-write."""

import contextlib
import os
import signal
import threading
import time

import httpx
import psutil
import pytest
from tests import promises

from updraft import ingest, score
from updraft.asof import raw_table
from updraft.demo.board import NEWEST, Board
from updraft.demo.plan import SHORT
from updraft.demo.publisher import Publisher
from updraft.demo.story import CASE, Story
from updraft.lake import Lake
from updraft.ledger import Ledger
from updraft.partition import calendar
from updraft.registry import Registry
from updraft.rows import digest
from updraft.spec import load

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]
KILLED = SHORT.daily[1]


class Saboteur:
    """Watches the story and kills the scoring task of one partition once, as soon as its first file is written."""

    def __init__(self, api, settings):
        self.api, self.settings, self.killed, self.told = api, settings, [], []

    def chapter(self, title):
        self.told.append(title)

    def event(self, partition, text):
        self.told.append(f"{partition} {text}")

    def stage(self, partition, stage, state):
        if (partition, stage, state) == (KILLED, "score", "running"):
            threading.Thread(target=self.sabotage, daemon=True).start()

    def sabotage(self):
        task = until(lambda: next((t for t in self.tasks() if t["task_id"] == "score"), None))
        group = until(lambda: next((p.pid for p in psutil.process_iter() if named(p, task["id"])), None))
        written = self.settings.home / "lake" / "scores" / CASE / f"partition={KILLED}"
        with contextlib.suppress(ProcessLookupError):
            until(lambda: step(group) or list(written.glob("*.parquet")))
            os.killpg(group, signal.SIGKILL)
            self.killed.append(task["id"])

    def tasks(self):
        """Tasks of the run that scores the partition."""
        runs = [run for run in self.api.newest(NEWEST) if run["dag_id"] == f"{CASE}__score"]
        its = [run["dag_run_id"] for run in runs if KILLED in (run["partition_key"] or "")]
        return self.api.tasks(f"{CASE}__score", its[0]) if its else []


def until(found, seconds=120):
    """What `found` returns, once that is something."""
    deadline = time.monotonic() + seconds
    while not (something := found()):
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.001)
    return something


def named(process, task):
    """Whether this is the process that runs a task; it leads a group of its own."""
    with contextlib.suppress(psutil.Error):
        return process.cmdline()[:1] == [f"airflow worker -- {task}"]


def step(group):
    """Let a group of processes run for a moment: left to itself, it is done before anybody looks."""
    os.killpg(group, signal.SIGCONT)
    time.sleep(0.002)
    os.killpg(group, signal.SIGSTOP)


@pytest.fixture(scope="session")
def lived(airflow, settings):
    """The short life, lived once."""
    case = load.load(CASE)
    audience = Saboteur(airflow.api, settings)
    board = Board(airflow.api, airflow.processes, glance=0.4)
    story = Story(airflow.api, board, Publisher(settings.inbox, calendar(case)), calendar(case), audience)
    story.live(SHORT)
    return case, Lake(settings.lake), story, audience


def test_every_promise_holds_after_the_faults(lived, settings):
    case, lake, _, _ = lived
    assert promises.broken(lake, case) == []


def test_a_champion_was_promoted_on_evidence_and_the_alias_follows(lived, settings):
    case, lake, _, _ = lived
    state = Ledger(lake, case.name).state()
    assert state.champion is not None
    assert [r.kind for r in state.records][:3] == ["trained", "gated", "promoted"]
    assert Registry(settings.tracking, settings.artifacts).champion_alias(case.name) == state.champion


def test_the_broken_delivery_was_quarantined_and_its_repair_published(lived):
    case, lake, _, _ = lived
    held = lake.read(ingest.quarantine_table(case, "outcomes"), [SHORT.corrupt])
    published = lake.read(raw_table(case, "outcomes"), [SHORT.corrupt])
    assert held is not None
    assert len(held) > 100
    assert published is not None
    assert set(held["delivery"].to_pylist()).isdisjoint(published["delivery"].to_pylist())


def test_a_delivery_with_a_renamed_column_was_refused_with_the_difference_and_its_repair_published(lived):
    case, lake, _, audience = lived
    [told] = [text for text in audience.told if "a column renamed" in text]
    assert "lacks 1 of 9 declared columns: dest" in told
    published = lake.read(raw_table(case, "schedule"), [SHORT.renamed])
    assert published is not None
    assert len(published["dest"].drop_null()) == len(published) > 500


def test_a_correction_that_came_late_counts_and_what_was_computed_without_it_is_named(lived):
    case, lake, _, audience = lived
    [told] = [text for text in audience.told if "are corrected" in text]
    assert f"Features of {SHORT.corrected} were computed without it, policy: keep" in told
    [late] = ingest.late.recorded(case, lake)
    assert (late.partition, late.features) == (SHORT.corrected, (SHORT.corrected,))


def test_a_task_killed_mid_write_is_retried_and_the_partition_is_whole(lived):
    case, lake, _, audience = lived
    assert audience.killed, "nothing was killed, so nothing was shown"
    assert {task["task_id"]: task["try_number"] for task in audience.tasks()}["score"] == 2
    counted = score.reconcile(case, [KILLED], lake)
    assert counted.scored + counted.refused == counted.rows > 500


def test_a_run_by_hand_of_what_is_done_changes_nothing(lived, airflow):
    case, lake, story, _ = lived
    tables = [raw_table(case, s) for s in case.sources] + [f"{t}/{case.name}" for t in ("features", "scores")]
    before = {table: digest(lake.read(table)) for table in tables}
    for stage in ("ingest", "features", "score"):
        run_id = airflow.api.trigger(f"{CASE}__{stage}", run_id=f"again__{stage}", conf={"partition": SHORT.daily[0]})
        assert story._ended(stage, run_id) == "success"
    assert {table: digest(lake.read(table)) for table in tables} == before


def test_the_controller_says_why_it_does_nothing(lived, airflow):
    case, lake, story, _ = lived
    run_id = airflow.api.trigger(f"{CASE}__retrain", run_id="asked", conf={"partition": KILLED})
    assert story._ended("retrain", run_id) == "success"
    decision = airflow.api.xcom(f"{CASE}__retrain", run_id, "decide")
    assert (decision["action"], decision["because"]) == ("none", f"no incident at {KILLED}")
    assert Ledger(lake, case.name).records()[-1].kind == "decided"


def test_a_task_links_to_its_report_and_airflow_shows_it_to_who_is_logged_in(airflow, lived):
    api = airflow.api  # one that has logged in
    run = [r for r in api.every_run() if (r["dag_id"], r["state"]) == (f"{CASE}__ingest", "success")][-1]
    link = api.xcom(f"{CASE}__ingest", run["dag_run_id"], "outcomes.publish", "_link_DataReportLink")
    page = api._http.get(link)
    assert (page.status_code, "accepted" in page.text or "quarantined" in page.text) == (200, True)
    assert httpx.get(link).status_code == 401


def test_a_partition_that_is_none_fails_at_once_and_says_what_to_do(airflow, lived):
    _, _, story, _ = lived
    run_id = airflow.api.trigger(f"{CASE}__features", run_id="nonsense", conf={"partition": "2013-02-30"})
    assert story._ended("features", run_id) == "failed"
    (task,) = airflow.api.tasks(f"{CASE}__features", run_id)
    assert task["try_number"] == 1
    assert "write it like 2013-04-01" in airflow.api.log(f"{CASE}__features", run_id, "build")

"""The quarantine DAG on a delivery that broke its contract: repaired in the spec and replayed, or discarded."""

import json
import shutil

import pytest
from tests.plugins import tiny

# isort: split
from airflow.sdk.exceptions import ParamValidationError

from updraft.asof import raw_table
from updraft.ingest.account import account
from updraft.lake import Lake

FIRST = "2024-01-01"


@pytest.fixture
def spoilt(world, tmp_path, monkeypatch):
    """A world in which the first day's plan is blocked, and whose spec can be repaired."""
    shutil.copytree(tiny.USE_CASES, tmp_path / "use_cases")
    world.enter(monkeypatch, tmp_path / "use_cases")
    tiny.deliver(world.home, [FIRST], spoilt=True)
    assert world.run("ingest", partition=FIRST).all()["plan.publish"].state == "failed"
    return world


@pytest.fixture
def repaired(tmp_path):
    spec = tmp_path / "use_cases" / "tiny" / "spec.yaml"
    return lambda: spec.write_text(spec.read_text().replace("[red, blue]", "[red, blue, grey]"))


def act(world, **form):
    return world.run("quarantine", conf={"action": "replay", "source": "plan", "partition": FIRST, **form}).all()


def states(ended):
    return {task: end.state for task, end in ended.items()}


def rows(world):
    return Lake(str(world.home / "lake")).read(raw_table(tiny.CASE, "plan"))


def test_a_replay_of_what_still_breaks_its_contract_publishes_and_announces_nothing(spoilt):
    ended = act(spoilt)
    assert states(ended) == {"act": "success", "plan.announce": "skipped", "outcome.announce": "skipped"}
    told = ended["act"].returned
    assert (told["released"], told["held"], told["complete"]) == (0, 60, [])
    assert "60 of 60 rows (100.00%) break the contract" in told["still"][FIRST]
    assert rows(spoilt) is None


def test_a_replay_after_the_repair_publishes_and_wakes_the_features_once(spoilt, repaired):
    repaired()
    ended = act(spoilt)
    assert states(ended) == {"act": "success", "plan.announce": "success", "outcome.announce": "skipped"}
    assert ended["plan.announce"].announced == {"tiny.raw.plan": [FIRST]}
    assert ended["act"].returned["released"] == len(rows(spoilt)) == 60
    assert len(json.dumps(ended["act"].returned)) < 4096
    assert spoilt.run("features", partition=FIRST).all()["build"].state == "success"
    again = act(spoilt, rebuild=True)
    assert again["act"].returned["released"] == 0
    assert states(again)["plan.announce"] == "skipped"


def test_a_discard_without_a_reason_fails_at_once(spoilt):
    ended = act(spoilt, action="discard")
    assert ended["act"].state == "failed"
    assert "A discard needs a reason" in str(ended["act"].error)


def test_a_discard_is_recorded_and_lets_the_others_go_on(spoilt):
    ended = act(spoilt, action="discard", reason="a test file")
    assert (ended["act"].returned["discarded"], ended["act"].returned["complete"]) == (60, [FIRST])
    assert ended["plan.announce"].announced == {"tiny.raw.plan": [FIRST]}
    (one,) = account(tiny.CASE, "plan", [FIRST], Lake(str(spoilt.home / "lake")))
    assert (one.outcome, one.discarded) == ("discarded", 60)


@pytest.mark.parametrize("wrong", [{"source": "plans"}, {"action": "delete"}, {"rebuild": "{{ 1 }}"}])
def test_the_form_takes_nothing_that_is_not_on_it(world, wrong):
    with pytest.raises(ParamValidationError, match=next(iter(wrong))):
        act(world, **wrong)


def test_a_span_is_replayed_and_announces_nothing(spoilt, repaired):
    repaired()
    ended = act(spoilt, through="2024-01-03")
    assert ended["act"].returned["released"] == 60
    assert states(ended)["plan.announce"] == "skipped"

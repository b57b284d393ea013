"""Sensors that other teams wait on, for drift and for labels: here, and in the triggerer."""

import asyncio

import pytest
from airflow.sdk import DAG
from airflow.sdk.bases.operator import TriggerFailureReason
from airflow.sdk.exceptions import AirflowSensorTimeout
from airflow.sdk.module_loading import import_string
from airflow.sdk.serde import deserialize, serialize
from tests.plugins import tiny
from tests.plugins.running import Run

# isort: split
from updraft import ingest
from updraft.lake import Lake
from updraft.ledger import Ledger
from updraft_airflow import partitions
from updraft_airflow.sensors.drift import DriftSensor
from updraft_airflow.sensors.labels import LabelMaturitySensor
from updraft_airflow.sensors.state import StateSensor
from updraft_airflow.triggers.drift import DriftTrigger
from updraft_airflow.triggers.labels import LabelMaturityTrigger
from updraft_airflow.triggers.state import StateTrigger

DAY = "2024-01-05"
WHO = {"use_case": "tiny", "lake_conn_id": "updraft_lake", "poke_interval": 0.01}


def waiting(kind, conf=None, **how):
    """A run of another team's DAG, whose only task waits."""
    with DAG("waits", params=partitions.params(tiny.CASE)) as dag:
        kind(task_id="wait", use_case="tiny", **how)
    return Run(dag, conf=conf or {"partition": DAY})


def drift(world, kind="performance"):
    facts = {"kind": kind, "identity": f"{kind}:0"}
    ledger = Ledger(Lake(str(world.home / "lake")), "tiny")
    ledger.append("incident", why="AUC fell", who="test", partition=DAY, model="0" * 64, facts=facts)


def label(world):
    """Deliver all that the labels of the day could rest on."""
    days = tiny.DATES.keys("2024-01-04", "2024-01-09")
    tiny.deliver(world.home, days)
    ingest.stage(tiny.CASE, "outcome", days, Lake(str(world.home / "lake")), world.home / "inbox")


COMPLETE = "the labels of tiny are complete"
SENSORS = [
    pytest.param(DriftSensor, drift, "AUC fell", "no incident of ", id="drift"),
    pytest.param(LabelMaturitySensor, label, COMPLETE, "labels of tiny: ", id="labels", marks=pytest.mark.slow),
]


@pytest.mark.parametrize(("kind", "happen", "seen", "missing"), SENSORS)
def test_it_comes_back_until_it_is_so_and_returns_what_it_saw(world, kind, happen, seen, missing):
    run = waiting(kind)
    assert run.task("wait").state == "up_for_reschedule"
    happen(world)
    ended = run.task("wait")
    assert ended.state == "success"
    assert ended.returned["why"].startswith(seen)


@pytest.mark.parametrize(("kind", "happen", "seen", "missing"), SENSORS)
def test_it_hands_over_to_a_trigger_that_fires_once_it_is_so(world, kind, happen, seen, missing):
    run = waiting(kind, deferrable=True, poke_interval=0.01)
    ended = run.task("wait")
    assert ended.state == "deferred"
    trigger = import_string(ended.message.classpath)(**deserialize(ended.message.trigger_kwargs))

    async def fired():
        events = trigger.run()
        looking = asyncio.ensure_future(anext(events))
        await asyncio.sleep(0.3)
        assert not looking.done()
        await asyncio.to_thread(happen, world)
        found = await asyncio.wait_for(looking, timeout=60)
        assert [event async for event in events] == []
        return found

    event = asyncio.run(fired())
    assert event.payload["why"].startswith(seen)
    ended = run.task("wait", next_method="seen", next_kwargs=serialize({"event": event.payload}))
    assert (ended.state, ended.returned) == ("success", event.payload)


@pytest.mark.parametrize(("kind", "happen", "seen", "missing"), SENSORS)
def test_it_does_not_hand_over_what_is_so_already(world, kind, happen, seen, missing):
    happen(world)
    ended = waiting(kind, deferrable=True).task("wait")
    assert ended.state == "success"
    assert ended.returned["why"].startswith(seen)


@pytest.mark.parametrize(("kind", "happen", "seen", "missing"), SENSORS)
def test_it_says_what_it_waited_for_when_its_time_is_up(world, kind, happen, seen, missing):
    gave_up = serialize({"error": TriggerFailureReason.TRIGGER_TIMEOUT})
    ended = waiting(kind, deferrable=True).task("wait", next_method="__fail__", next_kwargs=gave_up)
    assert isinstance(ended.error, AirflowSensorTimeout)
    assert str(ended.error).startswith(f"Waited for 12:00:00: {missing}")
    assert str(ended.error).endswith("Next: see `updraft status tiny`; once it is so, clear this task.")


@pytest.mark.parametrize("deferrable", [False, True])
@pytest.mark.parametrize("kind", [DriftSensor, LabelMaturitySensor])
def test_it_fails_at_once_without_a_partition(world, kind, deferrable):
    ended = waiting(kind, {"partition": ""}, deferrable=deferrable).task("wait")
    assert ended.state == "failed"
    assert "fill in the form's field `Partition`" in str(ended.error)


def test_drift_of_another_kind_is_waited_past(world):
    drift(world, "feature_drift")
    assert waiting(DriftSensor, kinds=["performance"]).task("wait").state == "up_for_reschedule"
    assert waiting(DriftSensor, kinds=["feature_drift", "performance"]).task("wait").state == "success"


def test_a_kind_that_is_none_fails_at_once(world):
    ended = waiting(DriftSensor, kinds=["drift"]).task("wait")
    assert ended.state == "failed"
    assert "There is no alarm of kind 'drift'" in str(ended.error)


@pytest.mark.parametrize(
    "trigger",
    [
        DriftTrigger(partition=DAY, kinds=["performance"], evidence="alarm", **WHO),
        LabelMaturityTrigger(partitions=[DAY], **WHO),
    ],
    ids=["drift", "labels"],
)
def test_a_trigger_can_be_made_again_from_what_it_hands_to_the_database(trigger):
    path, arguments = trigger.serialize()
    again = import_string(path)(**deserialize(serialize(arguments)))
    assert (type(again), again.serialize()) == (type(trigger), (path, arguments))


def test_what_looks_for_nothing_cannot_wait(world):
    with pytest.raises(NotImplementedError):
        StateSensor(task_id="wait", use_case="tiny").trigger()
    with pytest.raises(NotImplementedError):
        StateTrigger(**WHO).look()

import json
import shutil
from datetime import UTC, datetime, timedelta

import pytest
import yaml
from airflow.sdk import DAG
from airflow.sdk.bases.operator import TriggerFailureReason
from airflow.sdk.exceptions import AirflowSensorTimeout
from airflow.sdk.module_loading import import_string
from airflow.sdk.serde import deserialize, serialize
from tests import served
from tests.bucket import Bucket
from tests.plugins import tiny
from tests.plugins.running import Run

from updraft.errors import SpecInvalid
from updraft_airflow import partitions
from updraft_airflow.hooks.arrival import ArrivalHook
from updraft_airflow.sensors.delivery import DeliverySensor
from updraft_airflow.triggers.delivery import DeliveryTrigger

DAY, NEXT = "2024-01-05", "2024-01-06"


@pytest.fixture
def waiting(world):
    """A run of a DAG whose only task waits for the plan."""

    def waiting(conf=None, **how):
        with DAG("waits", params=partitions.params(tiny.CASE)) as dag:
            DeliverySensor(task_id="wait", use_case="tiny", source="plan", **how)
        return Run(dag, conf=conf or {"partition": DAY})

    return waiting


def test_it_comes_back_by_default_and_does_not_wait_for_ever():
    with DAG("waits"):
        sensor = DeliverySensor(task_id="wait", use_case="tiny", source="plan")
    assert (sensor.mode, sensor.deferrable, sensor.poke_interval, sensor.timeout) == ("reschedule", False, 60, 43200)


def test_it_comes_back_until_the_delivery_is_there(waiting, world):
    run, before = waiting(), datetime.now(tz=UTC)
    looked = run.task("wait")
    assert looked.state == "up_for_reschedule"
    assert timedelta(seconds=59) < looked.message.reschedule_date - before < timedelta(seconds=90)
    tiny.deliver(world.home, [NEXT])
    assert run.task("wait").state == "up_for_reschedule"
    tiny.deliver(world.home, [DAY])
    assert run.task("wait").state == "success"


def test_it_waits_for_every_partition_of_a_span(waiting, world):
    run = waiting({"partition": DAY, "through": NEXT})
    tiny.deliver(world.home, [DAY])
    assert run.task("wait").state == "up_for_reschedule"
    tiny.deliver(world.home, [NEXT])
    assert run.task("wait").state == "success"


def test_it_does_not_wait_for_what_has_landed_though_the_inbox_is_empty(waiting, world):
    tiny.deliver(world.home, [DAY])
    assert world.run("ingest", partition=DAY).task("plan.publish").state == "success"
    shutil.rmtree(world.home / "inbox")
    assert waiting().task("wait").state == "success"
    assert waiting({"partition": DAY, "through": NEXT}).task("wait").state == "up_for_reschedule"


def test_it_gives_up_after_its_timeout_says_what_it_waited_for_and_is_not_tried_again(waiting, world):
    run = waiting(timeout=60.0, retries=3)
    run.supervisor.since = datetime.now(tz=UTC) - timedelta(seconds=61)
    ended = run.task("wait", task_reschedule_count=1)
    assert ended.state == "failed"
    assert isinstance(ended.error, AirflowSensorTimeout)
    assert f"plan of tiny did not come for {DAY} within 1 min; looked for " in str(ended.error)
    assert f"plan/{DAY}.csv in {world.home / 'inbox'}. Next: ask the sender" in str(ended.error)


@pytest.fixture
def in_google(world, tmp_path, monkeypatch):
    """The tiny use case with its plan in a bucket, which it enters by a connection."""
    folder = tmp_path / "use_cases" / "tiny"
    shutil.copytree(tiny.USE_CASES / "tiny", folder)
    spec = yaml.safe_load((folder / "spec.yaml").read_text(encoding="utf-8"))
    spec["sources"]["plan"] |= {"path": "gs://bucket/plan/{partition}.csv", "files": {"connection": "deliveries"}}
    (folder / "spec.yaml").write_text(yaml.safe_dump(spec), encoding="utf-8")
    monkeypatch.setenv("UPDRAFT_USE_CASES", str(folder.parent))
    with served.serving(bucket := Bucket("bucket")) as server:
        key = {"gcs_base_url": f"http://127.0.0.1:{server.port}", "disable_oauth": True, "client_email": "a@b.example"}
        extra = {"keyfile_dict": {**key, "private_key": "canary", "private_key_id": "1"}}
        entry = {"conn_type": "google_cloud_platform", "extra": extra}
        monkeypatch.setenv("AIRFLOW_CONN_DELIVERIES", json.dumps(entry))
        yield bucket


def test_it_waits_for_an_object_at_a_url_as_for_a_file(waiting, in_google):
    run = waiting(timeout=60.0)
    assert run.task("wait").state == "up_for_reschedule"
    in_google.put(f"plan/{DAY}.csv", b"id\n")
    assert run.task("wait").state == "success"
    in_google.objects.clear()
    run.supervisor.since = datetime.now(tz=UTC) - timedelta(seconds=61)
    ended = run.task("wait", task_reschedule_count=1)
    assert f"looked for gs://bucket/plan/{DAY}.csv. Next: ask the sender" in str(ended.error)


def test_the_triggerer_waits_for_it_too_and_the_inbox_is_not_listened_to(world, in_google):
    in_google.put(f"plan/{DAY}.csv", b"id\n")
    trigger = DeliveryTrigger(use_case="tiny", source="plan", partitions=[DAY], poke_interval=0.1)
    assert trigger._missing() == []
    assert DeliveryTrigger(use_case="tiny", source="plan", partitions=[NEXT], poke_interval=0.1)._missing() == [NEXT]
    with pytest.raises(SpecInvalid, match="tiny has no source 'plan' that says"):
        ArrivalHook().listener("tiny", "plan")


def test_it_says_the_same_when_the_triggerer_gives_up(waiting, world):
    ended = waiting(deferrable=True).task("wait", next_method="__fail__", next_kwargs=gave_up())
    assert ended.state == "failed"
    assert f"plan of tiny did not come for {DAY} within 12 h" in str(ended.error)


def gave_up():
    """What Airflow hands to a task whose trigger ran out of time."""
    return serialize({"error": TriggerFailureReason.TRIGGER_TIMEOUT})


@pytest.mark.parametrize("deferrable", [False, True])
def test_it_fails_at_once_when_its_run_has_no_partition(waiting, deferrable):
    ended = waiting({"partition": ""}, deferrable=deferrable, retries=3).task("wait")
    assert ended.state == "failed"
    assert "fill in the form's field `Partition`" in str(ended.error)


def test_it_can_hand_over_to_the_triggerer_with_what_is_missing_and_an_end(waiting, world):
    tiny.deliver(world.home, [DAY])
    run = waiting({"partition": DAY, "through": NEXT}, deferrable=True, poke_interval=5.0)
    ended = run.task("wait")
    assert ended.state == "deferred"
    trigger = import_string(ended.message.classpath)(**deserialize(ended.message.trigger_kwargs))
    assert isinstance(trigger, DeliveryTrigger)
    assert (trigger.use_case, trigger.source, trigger.partitions, trigger.poke_interval) == (
        "tiny",
        "plan",
        [NEXT],
        5.0,
    )
    assert (ended.message.trigger_timeout, ended.message.next_method) == (timedelta(hours=12), "arrived")


def test_it_does_not_hand_over_what_is_there_already(waiting, world):
    tiny.deliver(world.home, [DAY])
    assert waiting(deferrable=True).task("wait").state == "success"


@pytest.mark.parametrize(("delivered", "state"), [(True, "success"), (False, "failed")])
def test_after_the_triggerer_it_looks_once_more_itself(waiting, world, delivered, state):
    if delivered:
        tiny.deliver(world.home, [DAY])
    event = serialize({"event": {"source": "plan", "partitions": [DAY]}})
    ended = waiting(deferrable=True).task("wait", next_method="arrived", next_kwargs=event)
    assert ended.state == state
    assert delivered or f"plan of tiny did not come for {DAY} within" in str(ended.error)

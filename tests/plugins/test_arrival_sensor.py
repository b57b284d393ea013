"""A sensor waits for a message or a file, by itself or in the triggerer."""

import asyncio

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import DAG
from airflow.sdk.bases.operator import TriggerFailureReason
from airflow.sdk.exceptions import AirflowSensorTimeout
from airflow.sdk.module_loading import import_string
from airflow.sdk.serde import deserialize, serialize
from tests.plugins import tiny, watched
from tests.plugins.airflow_home import ROOT
from tests.plugins.running import Run
from tests.plugins.watched import DAY, said

# isort: split

from updraft_airflow.sensors.arrival import ArrivalSensor
from updraft_airflow.sensors.delivery import DeliverySensor

slow = pytest.mark.slow


@pytest.fixture
def waiting(world):
    """A run of a DAG whose only task waits to hear of the plan."""

    def waiting(kind=ArrivalSensor, conf=None, **how):
        with DAG("waits") as dag:
            kind(task_id="wait", use_case="tiny", source="plan", **how)
        return Run(dag, conf=conf or {})

    return waiting


@slow
def test_a_sensor_comes_back_until_a_message_came_and_returns_the_names(store, waiting, world):
    run = waiting()
    assert run.task("wait").state == "up_for_reschedule"
    watched.deliver(store, world.home, DAY)
    ended = run.task("wait")
    assert (ended.state, ended.returned, store.left()) == ("success", said(DAY), 0)


def test_a_sensor_hears_of_a_file_too(waiting, world):
    run = waiting()
    assert run.task("wait").state == "up_for_reschedule"
    tiny.deliver(world.home, [DAY])
    assert run.task("wait").returned == said(DAY)


def test_a_sensor_can_hand_over_to_the_triggerer_and_returns_what_that_heard(waiting):
    run = waiting(deferrable=True, poke_interval=5.0)
    ended = run.task("wait")
    assert ended.state == "deferred"
    made = import_string(ended.message.classpath)(**deserialize(ended.message.trigger_kwargs))
    assert made.serialize()[1] == {
        "use_case": "tiny",
        "source": "plan",
        "poke_interval": 5.0,
        "lake_conn_id": "updraft_lake",
    }
    ended = run.task("wait", next_method="heard", next_kwargs=serialize({"event": said(DAY)}))
    assert (ended.state, ended.returned) == ("success", said(DAY))


def test_a_sensor_says_what_it_waited_for_when_its_time_is_up(waiting):
    gave_up = serialize({"error": TriggerFailureReason.TRIGGER_TIMEOUT})
    ended = waiting(deferrable=True).task("wait", next_method="__fail__", next_kwargs=gave_up)
    assert isinstance(ended.error, AirflowSensorTimeout)
    assert "Nothing was heard of plan of tiny within 12 h. Next: ask the sender" in str(ended.error)


@slow
def test_a_sensor_waits_for_the_object_of_a_partition_in_the_triggerer(store, waiting, world):
    run = waiting(DeliverySensor, partition=DAY, through="", deferrable=True, poke_interval=0.05)
    ended = run.task("wait")
    assert ended.state == "deferred"
    made = import_string(ended.message.classpath)(**deserialize(ended.message.trigger_kwargs))

    async def fired():
        looking = asyncio.ensure_future(anext(made.run()))
        await asyncio.sleep(0.3)
        assert not looking.done()
        await asyncio.to_thread(watched.deliver, store, world.home, DAY)
        return await asyncio.wait_for(looking, timeout=60)

    event = asyncio.run(fired())
    assert event.payload == {"source": "plan", "partitions": [DAY]}
    ended = run.task("wait", next_method="arrived", next_kwargs=serialize({"event": event.payload}))
    assert ended.state == "success"


@slow
def test_the_example_waits_for_a_key_with_amazon_s_sensor(store, monkeypatch):
    dag = DagBag(ROOT / "docs" / "examples" / "dags" / "s3_key.py").dags["wait_for_keys"]
    monkeypatch.setattr(dag.get_task("books_closed"), "bucket_name", store.bucket)
    run = Run(dag, conf={"partition": DAY})
    assert run.task("books_closed").state == "up_for_reschedule"
    store.client("s3").put_object(Bucket=store.bucket, Key=f"closed/{DAY}", Body=b"")
    assert run.task("books_closed").state == "success"

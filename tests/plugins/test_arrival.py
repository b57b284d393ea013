"""A message or a file wakes a DAG: triggers against moto's queue and bucket, and what becomes of what they say."""

import asyncio
import json

import pytest
from airflow.sdk import AssetAny
from airflow.sdk.module_loading import import_string
from airflow.sdk.serde import deserialize, serialize
from structlog.testing import capture_logs
from tests.plugins import tiny, watched
from tests.plugins.running import Run, parse
from tests.plugins.watched import DAY, NEXT, said

# isort: split

from updraft.arrivals.arrival import Heard
from updraft.errors import SourceClosed, SourceUnavailable, SpecInvalid
from updraft.lake import Lake
from updraft.rows import digest
from updraft_airflow import assets
from updraft_airflow.hooks.arrival import ArrivalHook
from updraft_airflow.triggers.arrival import ArrivalTrigger

slow = pytest.mark.slow


def events(trigger, count, *, then):
    """The first events of a trigger; `then` happens when it goes on after the last."""

    async def listen():
        found, running = [], trigger.run()
        while len(found) < count:
            found.append((await asyncio.wait_for(anext(running), timeout=60)).payload)
        going_on = asyncio.ensure_future(anext(running))
        for _ in range(200):
            await asyncio.sleep(0.05)
            if then():
                break
        going_on.cancel()
        await asyncio.gather(going_on, return_exceptions=True)
        await running.aclose()
        return found

    return asyncio.run(listen())


def trigger(source="plan"):
    return ArrivalTrigger(use_case="tiny", source=source, poke_interval=0.05)


@slow
def test_an_object_that_is_put_into_the_bucket_is_an_event_with_names_and_the_message_is_gone_after_it(store, world):
    watched.deliver(store, world.home, DAY)
    assert store.left() == 2
    assert events(trigger(), 1, then=lambda: store.left() == 0) == [said(DAY)]
    assert store.left() == 0


@slow
def test_a_message_whose_event_was_not_handed_over_stays_in_the_queue(store, world):
    watched.deliver(store, world.home, DAY)

    async def first():
        running = trigger().run()
        await anext(running)
        await running.aclose()

    asyncio.run(first())
    assert store.left() == 2


@slow
def test_junk_is_no_event_and_is_taken_out_and_the_next_message_is_heard(store, world):
    for junk in ("junk", '{"Event": "s3:TestEvent"}', json.dumps({"Records": [{"eventName": "$(reboot)"}]})):
        store.send(junk)
    watched.deliver(store, world.home, DAY)
    with capture_logs() as told:
        assert events(trigger(), 1, then=lambda: store.left() == 0) == [said(DAY)]
    assert store.left() == 0
    warned = " ".join(str(line) for line in told if line["log_level"] == "warning")
    assert "not a notification of S3: the message: json_invalid" in warned
    assert "reboot" not in warned


@slow
def test_a_queue_that_is_not_there_ends_it_with_what_to_do(store):
    client = store.client("sqs")
    client.delete_queue(QueueUrl=store.queue)
    with pytest.raises(Exception, match=r"check `s3.notifications` and the connection's rights"):
        events(trigger(), 1, then=lambda: True)


def test_a_queue_that_does_not_answer_is_asked_again_and_one_that_refuses_is_not():
    class Closed:
        def __init__(self, error):
            self.error = error

        def hear(self):
            raise self.error("It is silent.", next_step="wait.")

    with capture_logs() as told:
        assert asyncio.run(trigger()._hear(Closed(SourceUnavailable))) == Heard()
    assert "plan of tiny: It is silent. Next: wait." in str(told)
    with pytest.raises(SourceClosed):
        asyncio.run(trigger()._hear(Closed(SourceClosed)))


def test_a_file_in_the_inbox_is_an_event(world):
    tiny.deliver(world.home, [DAY])
    assert events(trigger(), 1, then=lambda: True) == [said(DAY)]


def test_a_source_that_cannot_be_listened_to_is_named(world):
    with pytest.raises(SpecInvalid, match="tiny has no source 'loot' that says"):
        ArrivalHook().listener("tiny", "loot")


def test_it_can_be_made_again_from_what_it_hands_to_the_database():
    path, arguments = trigger().serialize()
    again = import_string(path)(**deserialize(serialize(arguments)))
    assert (type(again), again.serialize()) == (ArrivalTrigger, (path, arguments))
    assert ArrivalTrigger.hash(*trigger().serialize()) != ArrivalTrigger.hash(*trigger("outcome").serialize())


@slow
def test_a_use_case_that_tells_has_a_dag_that_watches_each_of_its_sources(store, tmp_path):
    dag = parse(tmp_path / "use_cases")["tiny__arrivals"]
    assert isinstance(dag.timetable.asset_condition, AssetAny)
    watchers = {asset.name: asset.watchers[0] for asset in dag.timetable.asset_condition.objects}
    assert {name: (each.name, each.trigger.source) for name, each in watchers.items()} == {
        "tiny.arrival.plan": ("tiny.plan", "plan"),
        "tiny.arrival.outcome": ("tiny.outcome", "outcome"),
    }
    assert {task.task_id: set(task.downstream_task_ids) for task in dag.tasks} == {"look": {"start"}, "start": set()}


def test_a_use_case_that_does_not_tell_has_none(dags):
    assert "tiny__arrivals" not in dags
    assert assets.arrivals(tiny.CASE).objects == ()


def woken(tmp_path, *payloads, run_id="woken"):
    """Partitions for which a run of the DAG starts ingestion."""
    dag = parse(tmp_path / "use_cases")["tiny__arrivals"]
    ended = Run(dag, payloads=list(payloads), run_id=run_id).task("look")
    assert ended.state == "success", ended.error
    started = ended.returned
    assert {each["trigger_dag_id"] for each in started} <= {"tiny__ingest"}
    assert [each["trigger_run_id"] for each in started] == [
        f"arrived__{each['conf']['partition']}__{run_id}" for each in started
    ]
    return [each["conf"]["partition"] for each in started]


@slow
def test_ingestion_starts_once_the_last_source_is_in_and_for_nothing_that_was_only_said(store, world, tmp_path):
    tiny.deliver(world.home, [DAY])
    assert woken(tmp_path, said(DAY, source="outcome")) == []
    watched.deliver(store, world.home, DAY)
    assert woken(tmp_path, said(DAY), said(DAY), said(NEXT), said("2999-01-01")) == [DAY]


@slow
@pytest.mark.parametrize(
    "payload",
    [None, "x", {}, {"arrivals": "x"}, said("../x"), said("{{ 1 }}"), said(DAY, source="x; y"), {**said(DAY), "x": 1}],
    ids=str,
)
def test_an_event_that_anybody_made_up_starts_nothing(store, world, tmp_path, payload):
    watched.deliver(store, world.home, DAY)
    assert woken(tmp_path, payload) == []


def rows(world):
    lake = Lake(str(world.home / "lake"))
    return {source: digest(lake.read(f"raw/tiny/{source}")) for source in ("plan", "outcome")}


@slow
def test_messages_doubled_lost_and_out_of_order_among_hostile_ones_change_nothing_but_time(
    store, world, tmp_path, monkeypatch
):
    watched.deliver(store, world.home, DAY, NEXT)
    ingests = parse(tmp_path / "use_cases")["tiny__ingest"]
    for day in (DAY, NEXT):
        assert {ended.state for ended in Run(ingests, partition=day).all().values()} == {"success"}
    undisturbed = rows(world)
    other = type(world)(tmp_path / "other", world.dags).enter(monkeypatch, tmp_path / "use_cases")
    tiny.deliver(other.home, [DAY, NEXT])
    hostile = [None, said("../x"), said("2030-01-01"), {"arrivals": 1}]
    # That about the first day is lost. The later day comes first, and twice.
    started = woken(tmp_path, *hostile, said(NEXT)) + woken(tmp_path, said(NEXT), *hostile, run_id="again")
    assert started == [NEXT, NEXT]
    for day in started:
        Run(ingests, conf={"partition": day}).all()
    Run(ingests, partition=DAY).all()  # the clock brings what no message did
    assert rows(other) == undisturbed

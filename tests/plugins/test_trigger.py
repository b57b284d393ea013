import asyncio

import pytest
from airflow.sdk.module_loading import import_string
from airflow.sdk.serde import deserialize, serialize
from tests.plugins import tiny

from updraft.errors import SpecInvalid
from updraft_airflow.triggers.delivery import DeliveryTrigger

DAY, NEXT = "2024-01-05", "2024-01-06"


def trigger(*partitions, use_case="tiny"):
    return DeliveryTrigger(use_case=use_case, source="plan", partitions=list(partitions), poke_interval=0.01)


async def first_event(waiting, meanwhile=None):
    events = waiting.run()
    looking = asyncio.ensure_future(anext(events))
    if meanwhile is not None:
        await asyncio.sleep(0.1)
        assert not looking.done()
        meanwhile()
    return await asyncio.wait_for(looking, timeout=10)


def test_it_can_be_made_again_from_what_it_hands_to_the_database():
    path, arguments = trigger(DAY, NEXT).serialize()
    again = import_string(path)(**deserialize(serialize(arguments)))
    assert type(again) is DeliveryTrigger
    assert again.serialize() == (path, arguments)


def test_it_fires_at_once_when_everything_is_there(world):
    tiny.deliver(world.home, [DAY])
    event = asyncio.run(first_event(trigger(DAY)))
    assert event.payload == {"source": "plan", "partitions": [DAY]}


def test_it_fires_once_the_last_delivery_is_there(world):
    tiny.deliver(world.home, [DAY])
    event = asyncio.run(first_event(trigger(DAY, NEXT), meanwhile=lambda: tiny.deliver(world.home, [NEXT])))
    assert event.payload == {"source": "plan", "partitions": [DAY, NEXT]}


def test_it_fires_a_single_time(world):
    tiny.deliver(world.home, [DAY])

    async def all_events():
        return [event async for event in trigger(DAY).run()]

    assert len(asyncio.run(all_events())) == 1


def test_what_is_wrong_with_the_use_case_ends_it_with_the_reason(world):
    with pytest.raises(SpecInvalid, match="no use case 'tinny'"):
        asyncio.run(first_event(trigger(DAY, use_case="tinny")))

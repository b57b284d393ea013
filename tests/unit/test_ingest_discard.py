"""Discard: held rows that somebody gave up, with a reason, are never published and stay on record."""

import pytest
from tests.deliveries import DAY, GOOD, case, drop, quarantine, raw, stage
from tests.replaying import LOOSE, STRICT, WHO, accounts, again, blocked, drop_held

from updraft import ingest
from updraft.errors import Permanent
from updraft.ingest.account import account
from updraft.ingest.replay import discard

pytestmark = pytest.mark.slow  # every test takes in deliveries several times


def test_discarded_rows_are_never_published_and_stay_on_record(lake, inbox):
    drop(inbox, *GOOD)
    stage(lake, inbox, of=STRICT)
    assert drop_held(lake).rows == 1
    assert accounts(lake, STRICT) == [("quarantined", 1, 0, 1, 0)]
    assert again(lake).released == 0
    stage(lake, inbox)
    assert [row["id"] for row in raw(lake)] == [1]
    assert accounts(lake) == [("published", 1, 0, 1, 0)]
    assert [(row["row"], row["rule"], row["reason"]) for row in quarantine(lake)] == [(2, "discarded", "sensor test")]


def test_the_first_reason_stands_and_again_is_nothing(lake, inbox):
    drop(inbox, *GOOD)
    stage(lake, inbox, of=STRICT)
    drop_held(lake)
    (record,) = lake.keys("discarded")
    content = lake.get(record)
    again_ = discard(STRICT, "flights", [DAY], lake, who="other", why="other")
    assert (again_.rows, again_.partitions) == (0, ())
    assert lake.keys("discarded") == [record]
    assert lake.get(record) == content
    assert b'"who": "test"' in content
    assert b'"why": "sensor test"' in content


def test_a_reason_is_asked_for(lake):
    with pytest.raises(Permanent, match="A discard needs a reason"):
        discard(STRICT, "flights", [DAY], lake, who=WHO, why=" ")


@pytest.mark.parametrize("lines", [GOOD, []])
def test_a_blocked_delivery_that_is_discarded_blocks_no_more(lake, inbox, lines):
    strict = case(top=5)
    drop(inbox, *lines)
    blocked(lake, inbox, strict)
    drop_held(lake, strict)
    assert ingest.delivered(strict, "flights", lake) == {DAY}
    for of in (strict, LOOSE):
        assert stage(lake, inbox, of=of).rows == 0
        assert again(lake, of).released == 0
        assert accounts(lake, of) == [("discarded", 0, 0, len(lines), 0)]
    drop(inbox, GOOD[0])
    assert stage(lake, inbox).rows == 1


def test_one_delivery_of_several_may_be_meant(lake, inbox):
    parts = case(path="flights/{partition}*", tolerance=0.0)
    for name in "ab":
        drop(inbox, f"{ord(name)},x,1", name=f"{DAY}-{name}.csv")
    blocked(lake, inbox, parts)
    first, _ = (one.delivery.delivery for one in account(parts, "flights", [DAY], lake))
    assert drop_held(lake, parts, delivery=first[:8]).rows == 1
    assert accounts(lake, parts) == [("discarded", 0, 0, 1, 0), ("blocked", 0, 1, 0, 0)]
    assert ingest.delivered(parts, "flights", lake) == set()

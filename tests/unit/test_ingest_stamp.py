"""A row became known when its source says so, but never before its delivery window opened."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from tests.deliveries import DAY, GOOD, case, drop, raw, stage

from updraft import ingest
from updraft.ingest import Feed

OPENS = datetime(2013, 3, 30, 18, tzinfo=UTC)  # as of the partition before


@pytest.mark.parametrize(
    ("claimed", "known"),
    [
        ("2013-03-31T12:00:00Z", datetime(2013, 3, 31, 12, tzinfo=UTC)),
        ("2013-05-01T00:00:00Z", datetime(2013, 5, 1, tzinfo=UTC)),
        ("2012-01-01T00:00:00Z", OPENS + timedelta(microseconds=1)),
        ("2013-03-30T18:00:00Z", OPENS + timedelta(microseconds=1)),
        ("2013-03-30T18:00:00.000002Z", OPENS + timedelta(microseconds=2)),
    ],
)
def test_a_row_is_known_when_its_column_says_so(lake, inbox, claimed, known):
    columns = case(known_at={"column": "said"}, said={"type": "timestamp"})
    drop(inbox, f"{GOOD[0]},{claimed}", header="id,at,delay,said")
    stage(lake, inbox, of=columns)
    assert raw(lake)[0]["known_at"] == known


def test_a_row_is_known_from_the_moment_of_landing_which_does_not_move(lake, inbox):
    live = case(known_at={"landing": True})
    before = datetime.now(UTC)
    drop(inbox, *GOOD)
    stage(lake, inbox, of=live)
    first = raw(lake)
    assert before <= first[0]["known_at"] <= datetime.now(UTC)
    stage(lake, inbox, of=live)
    assert raw(lake) == first


@pytest.mark.slow
def test_of_two_deliveries_under_one_name_the_newer_is_known_later(lake, inbox):
    for delay in (10, 11, 12):
        drop(inbox, f"1,2013-04-01T05:00:00Z,{delay}")
        stage(lake, inbox)
    found = sorted(raw(lake), key=lambda row: row["known_at"])
    assert [row["delay"] for row in found] == [10, 11, 12]
    assert found[0]["known_at"] == datetime(2013, 4, 2, 6, tzinfo=UTC)


def test_a_clock_that_jumped_back_does_not_reorder_deliveries(lake, inbox):
    drop(inbox, *GOOD)
    (first,) = ingest.land(case(), "flights", [DAY], lake, inbox).deliveries
    late = first.landed + timedelta(days=9)
    key = f"deliveries/late/flights/{first.identity}.json"
    lake.put(key, json.dumps({**json.loads(lake.get(key)), "landed_at": late.isoformat()}).encode())
    drop(inbox, GOOD[0])
    ingest.land(case(), "flights", [DAY], lake, inbox)
    landed = Feed(case(), "flights", lake).deliveries([DAY])
    assert [delivery.landed for delivery in landed] == [late, late + timedelta(microseconds=1)]

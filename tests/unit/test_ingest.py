"""Ingest: every stage may run again, in any order and beside others, and the rows come out the same."""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import permutations

import pytest
from tests.deliveries import DAY, DAYS, GOOD, QUARANTINE, RAW, case, drop, raw, stage, state

from updraft import ingest
from updraft.errors import DeliveryBlocked, DeliveryMissing, DeliveryRefused
from updraft.ingest import Feed
from updraft.ingest.feed import Delivery
from updraft.lake import Lake


@pytest.mark.slow
def test_every_stage_again_changes_nothing(lake, inbox):
    drop(inbox, GOOD[0], "2,x,1", GOOD[1])
    first = stage(lake, inbox)
    before, objects = state(lake), {key: lake.get(key) for key in lake.keys("deliveries")}
    for _ in range(2):
        ingest.land(case(), "flights", [DAY], lake, inbox)
        ingest.validate(case(), "flights", [DAY], lake)
        assert ingest.publish(case(), "flights", [DAY], lake) == first
        assert stage(lake, inbox) == first
    assert state(lake) == before
    assert {key: lake.get(key) for key in lake.keys("deliveries")} == objects
    assert (lake.version(RAW), lake.version(QUARANTINE)) == (1, 1)


@pytest.mark.slow
def test_the_same_bytes_again_say_that_there_is_nothing_new(lake, inbox):
    drop(inbox, *GOOD)
    assert stage(lake, inbox).summary()["news"] == "1 new"
    again = stage(lake, inbox).summary()
    assert (again["new"], again["news"]) == (0, "nothing new: these bytes have landed before")


@pytest.mark.slow
def test_many_partitions_at_once_give_what_one_by_one_gives(lake, inbox, tmp_path):
    for day, lines in zip(DAYS, ([*GOOD, "3,x,1"], [GOOD[0]], ["3,2013-04-03T06:00:00Z,999", *GOOD]), strict=True):
        drop(inbox, *lines, day=day)
    together = stage(lake, inbox, DAYS)
    apart = Lake(str(tmp_path / "apart"))
    for day in reversed(DAYS):
        ingest.land(case(), "flights", [day], apart, inbox)
        ingest.validate(case(), "flights", [day], apart)
        ingest.publish(case(), "flights", [day], apart)
    assert state(lake) == state(apart)
    assert (together.rows, together.quarantined) == (5, 2)
    assert (lake.version(RAW), lake.version(QUARANTINE)) == (1, 1)


@pytest.mark.slow
def test_deliveries_of_a_partition_in_any_order_end_in_the_same_rows(lake, inbox, tmp_path):
    parts = case(path="flights/{partition}*")
    found = set()
    for number, order in enumerate(permutations("abc")):
        one = Lake(str(tmp_path / f"lake{number}"))
        for name in order:
            drop(inbox / str(number), f"{ord(name)},2013-04-01T05:00:00Z,1", name=f"{DAY}-{name}.csv")
            stage(one, inbox / str(number), of=parts)
        found.add(state(one)[RAW])
        assert one.version(RAW) == 3
    assert len(found) == 1


@pytest.mark.slow
def test_publishing_at_the_same_time_ends_in_one_state(lake, inbox, tmp_path):
    parts = case(path="flights/{partition}*")
    for name in "abcd":
        drop(inbox, f"{ord(name)},2013-04-01T05:00:00Z,1", f"{ord(name)},x,1", name=f"{DAY}-{name}.csv")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: stage(lake, inbox, of=parts), range(4)))
    alone = Lake(str(tmp_path / "alone"))
    stage(alone, inbox, of=parts)
    assert state(lake) == state(alone)
    assert len(lake.keys("deliveries")) == 4


@pytest.mark.slow
def test_a_late_publisher_does_not_undo_a_newer_one(lake, inbox):
    drop(inbox, *GOOD)
    old = ingest.land(case(), "flights", [DAY], lake, inbox).deliveries
    ingest.validate(case(), "flights", [DAY], lake)
    drop(inbox, "3,2013-04-01T05:00:00Z,1")
    stage(lake, inbox)
    ingest.publication.issue(Feed(case(), "flights", lake), old, {})
    assert [row["id"] for row in raw(lake)] == [1, 2, 3]


@pytest.mark.slow
def test_whatever_was_done_before_a_kill_the_next_run_ends_the_same(lake, inbox, tmp_path):
    drop(inbox, *GOOD, "3,x,1")
    stage(lake, inbox)
    whole = state(lake)
    every = ["staging", "deliveries", "reports", "rejected", "verdicts", "published"]
    for number in range(len(every) + 1):
        half = Lake(str(tmp_path / f"half{number}"))
        for kind in every[:number]:
            for key in lake.keys(kind):
                half.put(key, lake.get(key))
        stage(half, inbox)
        assert state(half) == whole
        assert half.keys("published") == lake.keys("published")


@pytest.mark.slow
def test_rows_published_without_the_mark_are_marked_by_the_next_run(lake, inbox):
    drop(inbox, *GOOD)
    stage(lake, inbox)
    (mark,) = lake.keys("published")
    os.unlink(f"{lake.uri}/{mark}")
    stage(lake, inbox)
    assert ingest.delivered(case(), "flights", lake) == {DAY}
    assert lake.version(RAW) == 1


@pytest.mark.slow
def test_what_cannot_go_on_does_not_hold_up_the_others(lake, inbox):
    drop(inbox, *GOOD, day=DAYS[0])
    drop(inbox, *GOOD, day=DAYS[1], header="nonsense")
    with pytest.raises(DeliveryRefused, match=f"flights/{DAYS[1]}.csv is refused"):
        stage(lake, inbox, DAYS)
    assert ingest.delivered(case(), "flights", lake) == {DAYS[0]}
    drop(inbox, "1,x,1", day=DAYS[1])
    with pytest.raises(DeliveryBlocked, match=f"{DAYS[1]}: 1 of 1 rows"):
        stage(lake, inbox, DAYS)
    drop(inbox, *GOOD, day=DAYS[1])
    with pytest.raises(DeliveryMissing, match=f"for {DAYS[2]} yet"):
        stage(lake, inbox, DAYS)
    assert ingest.delivered(case(), "flights", lake) == set(DAYS[:2])


@pytest.mark.slow
def test_what_tasks_hand_on_stays_small_for_many_partitions(lake, inbox):
    wide = case(tolerance=0.0, path="flights/{partition}.csv")
    days = [f"2013-{month:02d}-{day:02d}" for month in (1, 2, 3) for day in range(1, 29)]
    extra = ",".join("x" * 200 + str(n) for n in range(30))
    for day in days:
        drop(inbox, "1,x,1" + ",1" * 30, day=day, header=f"id,at,delay,{extra}")
    landed = ingest.land(wide, "flights", days, lake, inbox)
    validated = ingest.validate(wide, "flights", days, lake)
    assert validated.summary()["blocked"] == len(days)
    for summary in (landed.summary(), validated.summary()):
        assert len(json.dumps(summary)) < 4096
    with pytest.raises(DeliveryBlocked, match="84 deliveries of flights are blocked") as blocked:
        ingest.publish(wide, "flights", days, lake)
    assert len(str(blocked.value)) < 4096
    assert lake.version(QUARANTINE) == 1


def test_a_record_survives_its_json(lake):
    feed = Feed(case(), "flights", lake)
    delivery = Delivery(DAY, "a" * 64, "flights/x.csv.gz", 1, 2, ("id",), (), "2013-04-01T00:00:00+00:00", 0)
    assert feed.record(delivery) == delivery
    assert feed.deliveries([DAY]) == [delivery]
    assert delivery.compressed


@pytest.mark.slow
def test_importing_ingest_loads_nothing_heavy():
    heavy = ("pandas", "great_expectations", "duckdb", "deltalake", "obstore", "airflow")
    code = f"import sys, updraft.ingest; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

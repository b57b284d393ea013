"""Replay: what was held is published from its staged bytes once today's contract lets it."""

from datetime import UTC, datetime

import pytest
from tests.deliveries import DAY, DAYS, GOOD, case, drop, quarantine, raw, stage
from tests.replaying import LOOSE, STRICT, WHO, accounts, again, blocked

from updraft import ingest
from updraft.ingest.change import kept as changes_kept
from updraft.ingest.feed import Feed
from updraft.lake import Lake

pytestmark = pytest.mark.slow  # every test takes in deliveries several times


def test_rows_that_pass_the_repaired_contract_are_published_once(lake, inbox):
    drop(inbox, *GOOD)
    stage(lake, inbox, of=STRICT)
    assert accounts(lake, STRICT) == [("quarantined", 1, 1, 0, 0)]
    done = again(lake)
    assert (done.partitions, done.released, done.withdrawn, done.held, done.still) == ((DAY,), 1, 0, 0, {})
    assert [row["id"] for row in raw(lake)] == [1, 2]
    assert quarantine(lake) == []
    assert accounts(lake) == [("published", 2, 0, 0, 0)]
    versions = lake.version("raw/late/flights"), lake.version("quarantine/late/flights")
    assert again(lake).partitions == ()
    assert (lake.version("raw/late/flights"), lake.version("quarantine/late/flights")) == versions


def test_it_ends_in_the_rows_that_ingest_would_have_published(lake, inbox, tmp_path):
    drop(inbox, *GOOD, "3,2013-04-01T05:00:00Z,999", "4,2013-04-01T05:00:00Z,9")
    stage(lake, inbox, of=STRICT)
    again(lake)
    straight = Lake(str(tmp_path / "straight"))
    stage(straight, inbox, of=LOOSE)
    assert raw(lake) == raw(straight)
    assert quarantine(lake) == quarantine(straight)


def test_a_blocked_delivery_is_published_from_its_staged_bytes_though_the_inbox_is_empty(lake, inbox):
    path = drop(inbox, *GOOD)
    blocked(lake, inbox, case(top=5))
    path.unlink()
    assert accounts(lake, STRICT) == [("blocked", 0, 2, 0, 0)]
    done = again(lake)
    assert (done.released, done.held) == (2, 0)
    assert ingest.delivered(LOOSE, "flights", lake) == {DAY}


def test_what_is_still_held_says_why_and_does_not_hold_up_the_others(lake, inbox):
    drop(inbox, "1,x,1", day=DAYS[0])
    drop(inbox, *GOOD, day=DAYS[1])
    blocked(lake, inbox, case(top=5), DAYS[:2])
    done = again(lake, days=DAYS[:2])
    assert (done.released, done.held) == (2, 1)
    ((day, why),) = done.still.items()
    assert day == DAYS[0]
    assert why.startswith("1 of 1 rows (100.00%) break the contract, more than the tolerated 50.00%")
    assert ingest.delivered(LOOSE, "flights", lake) == {DAYS[1]}


def test_rows_that_could_not_be_read_are_decoded_anew(lake, inbox):
    drop(inbox, "1,2013-04-01 05:00:00,1", GOOD[1])
    stage(lake, inbox)
    assert [row["rule"] for row in quarantine(lake)] == ["type"]
    zoned = case(at={"type": "timestamp", "timezone": "America/New_York"})
    assert again(lake, zoned).released == 1
    assert raw(lake)[0]["event_time"] == datetime(2013, 4, 1, 9, tzinfo=UTC)


def test_a_delivery_that_today_s_spec_cannot_read_stays_as_it_was(lake, inbox):
    drop(inbox, *GOOD)
    stage(lake, inbox, of=STRICT)
    more = case(gate={"type": "string"})
    done = again(lake, more)
    assert (done.released, done.withdrawn, done.held) == (0, 0, 1)
    assert "It lacks 1 of 4" in done.still[DAY]
    assert len(raw(lake)) == 1


def test_a_partition_that_cannot_go_on_does_not_hold_up_the_others(lake, inbox):
    for day in DAYS:
        drop(inbox, *GOOD, day=day)
    stage(lake, inbox, DAYS, of=STRICT)
    (staged,) = lake.keys(f"staging/late/flights/{DAYS[1]}")
    lake.put(staged, b"id,at,delay\n")
    done = again(lake, days=DAYS)
    assert (done.released, done.held, list(done.still)) == (2, 1, [DAYS[1]])
    assert "are not those that landed" in done.still[DAYS[1]]
    assert [row["partition"] for row in raw(lake)].count(DAYS[1]) == 1


def test_a_stricter_contract_withdraws_what_it_rejects_and_says_so(lake, inbox):
    drop(inbox, *GOOD, "3,2013-04-01T05:00:00Z,999")
    stage(lake, inbox)
    done = again(lake, STRICT)
    assert (done.released, done.withdrawn, done.still[DAY][:9]) == (0, 2, "2 of 3 ro")
    assert accounts(lake, STRICT) == [("blocked", 0, 3, 0, 0)]


def test_a_delivery_repaired_under_its_name_is_not_brought_back_by_a_milder_contract(lake, inbox):
    strict = case(top=15, tolerance=0.0)
    drop(inbox, "1,2013-04-01T05:00:00Z,50")
    blocked(lake, inbox, strict)
    drop(inbox, "1,2013-04-01T05:00:00Z,5")
    stage(lake, inbox, of=strict)
    assert accounts(lake, strict) == [("superseded", 0, 0, 0, 1), ("published", 1, 0, 0, 0)]
    for run in (lambda: again(lake), lambda: stage(lake, inbox)):
        run()
        assert [row["delay"] for row in raw(lake)] == [5]
        assert accounts(lake) == [("superseded", 0, 0, 0, 1), ("published", 1, 0, 0, 0)]


def test_a_blocked_part_has_its_chance_though_another_part_landed_later(lake, inbox):
    strict, loose = case(top=15, path="flights/{partition}*"), case(path="flights/{partition}*")
    drop(inbox, "1,2013-04-01T05:00:00Z,50", name=f"{DAY}-a.csv")
    blocked(lake, inbox, strict)
    drop(inbox, "2,2013-04-01T05:00:00Z,5", name=f"{DAY}-b.csv")
    stage(lake, inbox, of=strict)
    assert accounts(lake, strict) == [("superseded", 0, 0, 0, 1), ("published", 1, 0, 0, 0)]
    assert again(lake, loose).released == 1
    assert accounts(lake, loose) == [("published", 1, 0, 0, 0), ("published", 1, 0, 0, 0)]


def test_an_older_delivery_that_is_replayed_stays_older_than_its_correction(lake, inbox):
    drop(inbox, "1,2013-04-01T05:00:00Z,50", GOOD[0].replace("1,", "9,", 1))
    stage(lake, inbox, of=STRICT)
    drop(inbox, "1,2013-04-01T05:00:00Z,5")
    stage(lake, inbox, of=STRICT)
    again(lake)
    known = sorted((row["known_at"], row["delay"]) for row in raw(lake) if row["id"] == 1)
    assert [delay for _, delay in known] == [50, 5]


def test_what_moves_is_recorded_before_it_does(lake, inbox):
    drop(inbox, *GOOD)
    stage(lake, inbox, of=STRICT)
    again(lake)
    (change,) = changes_kept(Feed(LOOSE, "flights", lake), [DAY])
    assert (change.released, change.withdrawn, change.who) == (((2, 2),), (), WHO)
    assert change.since == datetime(2013, 4, 2, 6, tzinfo=UTC)
    again(lake, STRICT)
    again(lake)
    moves = changes_kept(Feed(LOOSE, "flights", lake), [DAY])
    assert [(m.count("released"), m.count("withdrawn")) for m in moves] == [(1, 0)]

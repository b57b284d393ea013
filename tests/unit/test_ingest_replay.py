"""Replay and discard: what was quarantined, replayed and discarded always adds up to what was delivered."""

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.deliveries import DAY, DAYS, GOOD, case, drop, quarantine, raw, stage

from updraft import ingest
from updraft.errors import DeliveryBlocked, Permanent
from updraft.ingest.account import account
from updraft.ingest.change import kept as changes_kept
from updraft.ingest.feed import Feed
from updraft.ingest.replay import discard, replay
from updraft.lake import Lake

pytestmark = pytest.mark.slow  # every test takes in deliveries several times

STRICT, LOOSE = case(top=15), case()
WHO = "test"
ROOT = Path(__file__).parents[2]
REPLAY = """
import sys
import deltalake, great_expectations, pandas
from tests.deliveries import DAYS, case
from updraft.ingest.replay import replay
from updraft.lake import Lake
print("ready", flush=True)
replay(case(), "flights", DAYS, Lake(sys.argv[1]), who="test")
"""


def accounts(lake, of=LOOSE, days=(DAY,)):
    found = account(of, "flights", list(days), lake)
    assert all(one.adds_up for one in found)
    return [(one.outcome, one.published, one.held, one.discarded, one.superseded) for one in found]


def again(lake, of=LOOSE, days=(DAY,)):
    return replay(of, "flights", list(days), lake, who=WHO)


def drop_held(lake, of=STRICT, days=(DAY,), **how):
    return discard(of, "flights", list(days), lake, who=WHO, why="sensor test", **how)


def blocked(lake, inbox, of, days=(DAY,)):
    with pytest.raises(DeliveryBlocked):
        stage(lake, inbox, days, of=of)


class TestReplay:
    def test_rows_that_pass_the_repaired_contract_are_published_once(self, lake, inbox):
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

    def test_it_ends_in_the_rows_that_ingest_would_have_published(self, lake, inbox, tmp_path):
        drop(inbox, *GOOD, "3,2013-04-01T05:00:00Z,999", "4,2013-04-01T05:00:00Z,9")
        stage(lake, inbox, of=STRICT)
        again(lake)
        straight = Lake(str(tmp_path / "straight"))
        stage(straight, inbox, of=LOOSE)
        assert raw(lake) == raw(straight)
        assert quarantine(lake) == quarantine(straight)

    def test_a_blocked_delivery_is_published_from_its_staged_bytes_though_the_inbox_is_empty(self, lake, inbox):
        path = drop(inbox, *GOOD)
        blocked(lake, inbox, case(top=5))
        path.unlink()
        assert accounts(lake, STRICT) == [("blocked", 0, 2, 0, 0)]
        done = again(lake)
        assert (done.released, done.held) == (2, 0)
        assert ingest.delivered(LOOSE, "flights", lake) == {DAY}

    def test_what_is_still_held_says_why_and_does_not_hold_up_the_others(self, lake, inbox):
        drop(inbox, "1,x,1", day=DAYS[0])
        drop(inbox, *GOOD, day=DAYS[1])
        blocked(lake, inbox, case(top=5), DAYS[:2])
        done = again(lake, days=DAYS[:2])
        assert (done.released, done.held) == (2, 1)
        ((day, why),) = done.still.items()
        assert day == DAYS[0]
        assert why.startswith("1 of 1 rows (100.00%) break the contract, more than the tolerated 50.00%")
        assert ingest.delivered(LOOSE, "flights", lake) == {DAYS[1]}

    def test_rows_that_could_not_be_read_are_decoded_anew(self, lake, inbox):
        drop(inbox, "1,2013-04-01 05:00:00,1", GOOD[1])
        stage(lake, inbox)
        assert [row["rule"] for row in quarantine(lake)] == ["type"]
        zoned = case(at={"type": "timestamp", "timezone": "America/New_York"})
        assert again(lake, zoned).released == 1
        assert raw(lake)[0]["event_time"] == datetime(2013, 4, 1, 9, tzinfo=UTC)

    def test_a_delivery_that_today_s_spec_cannot_read_stays_as_it_was(self, lake, inbox):
        drop(inbox, *GOOD)
        stage(lake, inbox, of=STRICT)
        more = case(gate={"type": "string"})
        done = again(lake, more)
        assert (done.released, done.withdrawn, done.held) == (0, 0, 1)
        assert "It lacks 1 of 4" in done.still[DAY]
        assert len(raw(lake)) == 1

    def test_a_partition_that_cannot_go_on_does_not_hold_up_the_others(self, lake, inbox):
        for day in DAYS:
            drop(inbox, *GOOD, day=day)
        stage(lake, inbox, DAYS, of=STRICT)
        (staged,) = lake.keys(f"staging/late/flights/{DAYS[1]}")
        lake.put(staged, b"id,at,delay\n")
        done = again(lake, days=DAYS)
        assert (done.released, done.held, list(done.still)) == (2, 1, [DAYS[1]])
        assert "are not those that landed" in done.still[DAYS[1]]
        assert [row["partition"] for row in raw(lake)].count(DAYS[1]) == 1

    def test_a_stricter_contract_withdraws_what_it_rejects_and_says_so(self, lake, inbox):
        drop(inbox, *GOOD, "3,2013-04-01T05:00:00Z,999")
        stage(lake, inbox)
        done = again(lake, STRICT)
        assert (done.released, done.withdrawn, done.still[DAY][:9]) == (0, 2, "2 of 3 ro")
        assert accounts(lake, STRICT) == [("blocked", 0, 3, 0, 0)]

    def test_a_delivery_repaired_under_its_name_is_not_brought_back_by_a_milder_contract(self, lake, inbox):
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

    def test_a_blocked_part_has_its_chance_though_another_part_landed_later(self, lake, inbox):
        strict, loose = case(top=15, path="flights/{partition}*"), case(path="flights/{partition}*")
        drop(inbox, "1,2013-04-01T05:00:00Z,50", name=f"{DAY}-a.csv")
        blocked(lake, inbox, strict)
        drop(inbox, "2,2013-04-01T05:00:00Z,5", name=f"{DAY}-b.csv")
        stage(lake, inbox, of=strict)
        assert accounts(lake, strict) == [("superseded", 0, 0, 0, 1), ("published", 1, 0, 0, 0)]
        assert again(lake, loose).released == 1
        assert accounts(lake, loose) == [("published", 1, 0, 0, 0), ("published", 1, 0, 0, 0)]

    def test_an_older_delivery_that_is_replayed_stays_older_than_its_correction(self, lake, inbox):
        drop(inbox, "1,2013-04-01T05:00:00Z,50", GOOD[0].replace("1,", "9,", 1))
        stage(lake, inbox, of=STRICT)
        drop(inbox, "1,2013-04-01T05:00:00Z,5")
        stage(lake, inbox, of=STRICT)
        again(lake)
        known = sorted((row["known_at"], row["delay"]) for row in raw(lake) if row["id"] == 1)
        assert [delay for _, delay in known] == [50, 5]

    def test_what_moves_is_recorded_before_it_does(self, lake, inbox):
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


class TestDiscard:
    def test_discarded_rows_are_never_published_and_stay_on_record(self, lake, inbox):
        drop(inbox, *GOOD)
        stage(lake, inbox, of=STRICT)
        assert drop_held(lake).rows == 1
        assert accounts(lake, STRICT) == [("quarantined", 1, 0, 1, 0)]
        assert again(lake).released == 0
        stage(lake, inbox)
        assert [row["id"] for row in raw(lake)] == [1]
        assert accounts(lake) == [("published", 1, 0, 1, 0)]
        assert [(row["row"], row["rule"], row["reason"]) for row in quarantine(lake)] == [
            (2, "discarded", "sensor test")
        ]

    def test_the_first_reason_stands_and_again_is_nothing(self, lake, inbox):
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

    def test_a_reason_is_asked_for(self, lake):
        with pytest.raises(Permanent, match="A discard needs a reason"):
            discard(STRICT, "flights", [DAY], lake, who=WHO, why=" ")

    @pytest.mark.parametrize("lines", [GOOD, []])
    def test_a_blocked_delivery_that_is_discarded_blocks_no_more(self, lake, inbox, lines):
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

    def test_one_delivery_of_several_may_be_meant(self, lake, inbox):
        parts = case(path="flights/{partition}*", tolerance=0.0)
        for name in "ab":
            drop(inbox, f"{ord(name)},x,1", name=f"{DAY}-{name}.csv")
        blocked(lake, inbox, parts)
        first, _ = (one.delivery.delivery for one in account(parts, "flights", [DAY], lake))
        assert drop_held(lake, parts, delivery=first[:8]).rows == 1
        assert accounts(lake, parts) == [("discarded", 0, 0, 1, 0), ("blocked", 0, 1, 0, 0)]
        assert ingest.delivered(parts, "flights", lake) == set()


class TestInterrupted:
    KINDS = ("staging", "deliveries", "reports", "rejected", "verdicts", "published", "changes", "discarded")

    def copy(self, of, to, kinds, tables):
        """What a lake holds of some kinds and tables."""
        for kind in kinds:
            for key in of.keys(kind):
                to.put(key, of.get(key))
        for table in tables:
            rows = of.read(table)
            if rows is not None:
                to.replace(table, rows, [DAY])

    def test_a_replay_killed_between_any_two_steps_is_finished_by_the_next(self, lake, inbox, tmp_path):
        drop(inbox, *GOOD)
        stage(lake, inbox, of=STRICT)
        before = Lake(str(tmp_path / "before"))
        self.copy(lake, before, self.KINDS, ["raw/late/flights", "quarantine/late/flights"])
        again(lake)
        steps = ["reports", "rejected", "verdicts", "changes", "quarantine/late/flights", "raw/late/flights"]
        for number in range(len(steps) + 1):
            half = Lake(str(tmp_path / f"half{number}"))
            self.copy(before, half, self.KINDS, ["raw/late/flights", "quarantine/late/flights"])
            done = steps[:number]
            self.copy(lake, half, [s for s in done if "/" not in s], [s for s in done if "/" in s])
            again(half)
            assert raw(half) == raw(lake)
            assert quarantine(half) == quarantine(lake)
            assert accounts(half) == accounts(lake)
            moves = changes_kept(Feed(LOOSE, "flights", half), [DAY])
            assert {move.released for move in moves} == {((2, 2),)}

    def test_a_discard_killed_before_the_partition_is_marked_is_finished_by_the_next(self, lake, inbox):
        strict = case(top=5)
        drop(inbox, *GOOD)
        blocked(lake, inbox, strict)
        drop_held(lake, strict)
        (mark,) = lake.keys("published")
        os.unlink(f"{lake.uri}/{mark}")
        assert ingest.delivered(strict, "flights", lake) == set()
        drop_held(lake, strict)
        assert ingest.delivered(strict, "flights", lake) == {DAY}

    def test_rows_discarded_while_they_were_published_are_taken_back(self, lake, inbox):
        drop(inbox, *GOOD)
        stage(lake, inbox, of=STRICT)
        with ThreadPoolExecutor(4) as pool:
            jobs = [pool.submit(again, lake), pool.submit(drop_held, lake), pool.submit(again, lake)]
            [job.result() for job in jobs]
        (one,) = accounts(lake)
        assert one in [("published", 2, 0, 0, 0), ("published", 1, 0, 1, 0)]

    def test_replays_at_once_publish_each_row_once(self, lake, inbox):
        for day in DAYS:
            drop(inbox, *GOOD, day=day)
        stage(lake, inbox, DAYS, of=STRICT)
        with ThreadPoolExecutor(3) as pool:
            list(pool.map(lambda _: again(lake, days=DAYS), range(3)))
        assert accounts(lake, days=DAYS) == [("published", 2, 0, 0, 0)] * 3
        assert len(raw(lake)) == 6

    @pytest.mark.deep
    def test_a_replay_killed_at_any_moment_is_finished_by_the_next(self, lake, inbox):
        for day in DAYS:
            drop(inbox, *GOOD, day=day)
        stage(lake, inbox, DAYS, of=STRICT)
        ended = []
        for pause in (0.02, 0.1, 0.2, 0.4):
            child = subprocess.Popen([sys.executable, "-c", REPLAY, lake.uri], stdout=subprocess.PIPE, cwd=ROOT)
            assert child.stdout
            assert child.stdout.readline() == b"ready\n"
            time.sleep(pause)
            child.kill()
            ended.append(child.wait(30))
            child.stdout.close()
        assert -9 in ended
        again(lake, days=DAYS)
        assert accounts(lake, days=DAYS) == [("published", 2, 0, 0, 0)] * 3
        assert len(raw(lake)) == 6
        assert quarantine(lake) == []

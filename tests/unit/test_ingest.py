"""Ingest: every stage may run again, in any order and beside others, and the rows come out the same."""

import hashlib
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import permutations
from pathlib import Path

import pytest

from updraft import ingest
from updraft.errors import (
    DeliveryBlocked,
    DeliveryMissing,
    DeliveryRefused,
    PartitionInvalid,
    SpecInvalid,
    ValidationBroken,
)
from updraft.ingest import Feed
from updraft.ingest.feed import Delivery
from updraft.lake import Lake
from updraft.rows import digest
from updraft.spec.model import UseCase
from updraft.spec.sources import Deleted

DAYS = ["2013-04-01", "2013-04-02", "2013-04-03"]
DAY = DAYS[0]
RAW, QUARANTINE = "raw/late/flights", "quarantine/late/flights"
GOOD = ["1,2013-04-01T05:00:00Z,10", "2,2013-04-01T06:00:00Z,20"]


def case(*, known_at=None, rows=(1, 100), tolerance=0.5, path="flights/{partition}.csv", top=100, **columns):
    declared = {
        "id": {"type": "integer"},
        "at": {"type": "timestamp"},
        "delay": {"type": "integer", "range": [-60, top]},
        **columns,
    }
    return UseCase.model_validate(
        {
            "version": 1,
            "name": "late",
            "owner": {"name": "team", "email": "team@example.com"},
            "problem": {
                "goal": "Warn of late flights.",
                "lead_time": "6h",
                "decision": "Warn.",
                "value": {"true_positive": 3, "false_positive": -1, "false_negative": 0},
            },
            "partitions": {"every": "day", "first": "2013-01-01"},
            "entity": ["id"],
            "sources": {
                "flights": {
                    "type": "files",
                    "path": path,
                    "key": ["id"],
                    "event_time": "at",
                    "known_at": known_at or {"delay": "6h"},
                    "columns": declared,
                    "contract": {"rows": list(rows), "tolerance": tolerance},
                }
            },
            "label": {"column": "late", "maturity": "1d"},
            "features": {"delay": {"type": "number"}},
        }
    )


@pytest.fixture
def lake(tmp_path):
    return Lake(str(tmp_path / "lake"))


@pytest.fixture
def inbox(tmp_path):
    return tmp_path / "inbox"


def drop(inbox: Path, *lines: str, day: str = DAY, name: str = "", header: str = "id,at,delay") -> Path:
    path = inbox / "flights" / (name or f"{day}.csv")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([header, *lines]) + "\n")
    os.utime(path, (time.time() - 60,) * 2)
    return path


def stage(lake, inbox, days=(DAY,), of=None):
    return ingest.stage(of or case(), "flights", list(days), lake, inbox)


def raw(lake, days=None):
    rows = lake.read(RAW, days)
    return [] if rows is None else rows.sort_by("id").to_pylist()


def quarantine(lake):
    rows = lake.read(QUARANTINE)
    return [] if rows is None else rows.sort_by([("partition", "ascending"), ("row", "ascending")]).to_pylist()


def state(lake):
    """Content of everything that readers see."""
    tables = {name: lake.read(name) for name in (RAW, QUARANTINE)}
    return {name: rows and digest(rows) for name, rows in tables.items()}


class TestLand:
    def test_bytes_are_staged_as_they_came_with_a_record(self, lake, inbox):
        path = drop(inbox, *(f"{row},z" for row in GOOD), header="id,at,delay,extra")
        landed = ingest.land(case(), "flights", [DAY], lake, inbox)
        sha = hashlib.sha256(path.read_bytes()).hexdigest()
        (delivery,) = landed.deliveries
        assert lake.get(f"staging/late/flights/{DAY}/{sha}") == path.read_bytes()
        recorded = json.loads(lake.get(f"deliveries/late/flights/{DAY}/{sha}.json"))
        assert recorded["rows"] == 2
        assert recorded["extra_columns"] == ["extra"]
        assert recorded["origin"] == "flights/2013-04-01.csv"
        assert delivery.delivery == sha
        assert landed.summary() == {
            "source": "flights", "partitions": 1, "deliveries": 1, "new": 1, "rows": 2,
            "bytes": path.stat().st_size, "extra_columns": ["extra"],
        }  # fmt: skip

    def test_the_same_bytes_keep_their_first_record_whatever_they_are_called(self, lake, inbox):
        any_name = case(path="flights/{partition}*")
        drop(inbox, *GOOD)
        (first,) = ingest.land(any_name, "flights", [DAY], lake, inbox).deliveries
        drop(inbox, *GOOD, name=f"{DAY}-again.csv")
        again = ingest.land(any_name, "flights", [DAY], lake, inbox)
        assert again.deliveries == (first,)
        assert again.new == 0

    def test_no_file_is_missing_until_something_has_landed(self, lake, inbox):
        with pytest.raises(DeliveryMissing, match="no delivery of flights for 2013-04-01 yet"):
            ingest.land(case(), "flights", [DAY], lake, inbox)
        path = drop(inbox, *GOOD)
        ingest.land(case(), "flights", [DAY], lake, inbox)
        path.unlink()
        assert ingest.land(case(), "flights", [DAY], lake, inbox).new == 0

    def test_an_unreadable_delivery_is_refused_and_leaves_no_trace(self, lake, inbox):
        drop(inbox, *GOOD, header="id,at,Delay")
        with pytest.raises(DeliveryRefused, match=r"flights/2013-04-01.csv is refused. It lacks 1 of 3.*'Delay'"):
            ingest.land(case(), "flights", [DAY], lake, inbox)
        assert lake.keys("deliveries") == lake.keys("staging") == []

    def test_what_can_land_lands_before_anything_is_raised(self, lake, inbox):
        drop(inbox, *GOOD, day=DAYS[0], header="nonsense")
        drop(inbox, *GOOD, day=DAYS[2])
        with pytest.raises(DeliveryRefused):
            ingest.land(case(), "flights", DAYS, lake, inbox)
        assert [key.split("/")[3] for key in lake.keys("deliveries")] == [DAYS[2]]

    def test_keys_and_names_of_strangers_are_refused(self, lake, inbox):
        with pytest.raises(PartitionInvalid):
            ingest.land(case(), "flights", ["../../etc"], lake, inbox)
        with pytest.raises(SpecInvalid, match="did you mean 'flights'"):
            ingest.land(case(), "flight", [DAY], lake, inbox)


class TestValidateAndPublish:
    def test_rows_carry_when_and_where_they_came_from(self, lake, inbox):
        path = drop(inbox, *GOOD)
        sha = hashlib.sha256(path.read_bytes()).hexdigest()
        assert stage(lake, inbox).summary() == {
            "source": "flights", "partitions": 1, "deliveries": 1, "rows": 2, "quarantined": 0, "held": 0, "version": 1,
            "warned": 0, "reports": [f"reports/late/flights/{DAY}/{sha}.html"],
            "new": 1, "news": "1 new",
        }  # fmt: skip
        assert raw(lake)[1] == {
            "id": 2,
            "at": datetime(2013, 4, 1, 6, tzinfo=UTC),
            "delay": 20,
            "event_time": datetime(2013, 4, 1, 6, tzinfo=UTC),
            "known_at": datetime(2013, 4, 2, 6, tzinfo=UTC),
            "delivery": sha,
            "row": 2,
            "partition": DAY,
        }

    def test_bad_rows_go_to_quarantine_with_what_they_were(self, lake, inbox):
        drop(inbox, GOOD[0], "2,2013-04-01T06:00:00Z,999", "3,yesterday,1", GOOD[1])
        published = stage(lake, inbox)
        assert (published.rows, published.quarantined) == (2, 2)
        assert sorted(row["row"] for row in raw(lake)) == [1, 4]
        found = quarantine(lake)
        assert [(row["row"], row["rule"]) for row in found] == [(2, "range"), (3, "type")]
        assert found[0]["reason"] == "delay: 999 is not between -60.0 and 100.0"
        assert [row["line"] for row in found] == [3, 4]
        assert json.loads(found[1]["original"]) == {"id": "3", "at": "yesterday", "delay": "1"}

    def test_nothing_of_a_blocked_delivery_is_published_and_the_error_says_what_to_do(self, lake, inbox):
        drop(inbox, GOOD[0], "2,x,1", "3,x,1")
        with pytest.raises(DeliveryBlocked) as blocked:
            stage(lake, inbox)
        told = str(blocked.value)
        assert "3 rows are held back" in told
        assert "2 of 3 rows (66.67%) break the contract" in told
        assert "reports/late/flights/2013-04-01/" in told
        assert "repair the delivery and run ingest for 2013-04-01 again" in told
        assert raw(lake) == []
        assert [row["row"] for row in quarantine(lake)] == [2, 3]
        assert ingest.delivered(case(), "flights", lake) == set()

    def test_a_repaired_delivery_heals_and_the_blocked_one_stays_as_history(self, lake, inbox):
        bad = hashlib.sha256(drop(inbox, "1,x,1").read_bytes()).hexdigest()
        with pytest.raises(DeliveryBlocked):
            stage(lake, inbox)
        assert ingest.healed(case(), "flights", [DAY], lake) == []
        good = hashlib.sha256(drop(inbox, *GOOD).read_bytes()).hexdigest()
        published = stage(lake, inbox)
        assert (published.deliveries, published.rows, published.held) == (2, 2, 1)
        assert {row["known_at"] for row in raw(lake)} == {datetime(2013, 4, 2, 6, tzinfo=UTC)}
        assert [row["delivery"] for row in quarantine(lake)] == [bad]
        assert ingest.healed(case(), "flights", [DAY], lake) == [ingest.Healed(DAY, bad, good)]
        assert ingest.delivered(case(), "flights", lake) == {DAY}

    def test_a_blocked_part_is_not_healed_by_another_part_that_landed_with_it(self, lake, inbox):
        parts = case(path="flights/{partition}*")
        drop(inbox, "1,x,1", name=f"{DAY}-a.csv")
        drop(inbox, *GOOD, name=f"{DAY}-b.csv")
        with pytest.raises(DeliveryBlocked):
            stage(lake, inbox, of=parts)
        assert len(raw(lake)) == 2
        assert ingest.delivered(parts, "flights", lake) == set()

    @pytest.mark.parametrize("content", ["", "id,at,delay\n"])
    def test_the_contract_decides_about_a_delivery_without_rows(self, lake, inbox, content):
        drop(inbox).write_text(content)
        with pytest.raises(DeliveryBlocked, match="it has 0 rows, the contract asks for 1 to 100"):
            stage(lake, inbox)
        published = stage(lake, inbox, of=case(rows=(0, 100)))
        assert (published.rows, published.version) == (0, None)
        assert ingest.delivered(case(), "flights", lake) == {DAY}

    def test_the_report_is_kept_whatever_the_outcome(self, lake, inbox):
        drop(inbox, *GOOD)
        ingest.land(case(), "flights", [DAY], lake, inbox)
        validated = ingest.validate(case(), "flights", [DAY], lake)
        (verdict,) = validated.verdicts
        assert b"default-src 'none'" in lake.get(verdict.report)
        assert validated.summary() == {
            "source": "flights", "deliveries": 1, "accepted": 1, "quarantined": 0, "blocked": 0, "rows": 2, "bad": 0,
            "warned": 0, "partitions_blocked": [], "reports": [verdict.report],
        }  # fmt: skip

    def test_what_was_not_validated_is_not_published(self, lake, inbox):
        drop(inbox, *GOOD)
        with pytest.raises(DeliveryMissing, match="Nothing of flights has landed"):
            ingest.validate(case(), "flights", [DAY], lake)
        ingest.land(case(), "flights", [DAY], lake, inbox)
        with pytest.raises(ValidationBroken, match="was not validated against today's contract"):
            ingest.publish(case(), "flights", [DAY], lake)
        ingest.validate(case(), "flights", [DAY], lake)
        with pytest.raises(ValidationBroken, match="was not validated against today's contract"):
            ingest.publish(case(tolerance=0.4), "flights", [DAY], lake)
        assert lake.version(RAW) is None

    @pytest.mark.slow
    def test_a_stricter_contract_takes_back_what_it_rejects(self, lake, inbox):
        drop(inbox, *GOOD)
        stage(lake, inbox)
        stage(lake, inbox, of=case(top=15))
        assert [row["id"] for row in raw(lake)] == [1]
        assert [row["row"] for row in quarantine(lake)] == [2]

    def test_staged_bytes_that_changed_are_not_trusted(self, lake, inbox):
        drop(inbox, *GOOD)
        (delivery,) = ingest.land(case(), "flights", [DAY], lake, inbox).deliveries
        lake.put(f"staging/late/flights/{delivery.identity}", b"id,at,delay\n7,2013-04-01T05:00:00Z,1\n")
        with pytest.raises(ValidationBroken, match="not those that landed"):
            ingest.validate(case(), "flights", [DAY], lake)


class TestKnownAt:
    """A row became known when its source says so, but never before its delivery window opened."""

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
    def test_by_its_column(self, lake, inbox, claimed, known):
        columns = case(known_at={"column": "said"}, said={"type": "timestamp"})
        drop(inbox, f"{GOOD[0]},{claimed}", header="id,at,delay,said")
        stage(lake, inbox, of=columns)
        assert raw(lake)[0]["known_at"] == known

    def test_by_the_moment_of_landing_which_does_not_move(self, lake, inbox):
        live = case(known_at={"landing": True})
        before = datetime.now(UTC)
        drop(inbox, *GOOD)
        stage(lake, inbox, of=live)
        first = raw(lake)
        assert before <= first[0]["known_at"] <= datetime.now(UTC)
        stage(lake, inbox, of=live)
        assert raw(lake) == first

    @pytest.mark.slow
    def test_of_two_deliveries_under_one_name_the_newer_is_known_later(self, lake, inbox):
        for delay in (10, 11, 12):
            drop(inbox, f"1,2013-04-01T05:00:00Z,{delay}")
            stage(lake, inbox)
        found = sorted(raw(lake), key=lambda row: row["known_at"])
        assert [row["delay"] for row in found] == [10, 11, 12]
        assert found[0]["known_at"] == datetime(2013, 4, 2, 6, tzinfo=UTC)

    def test_a_clock_that_jumped_back_does_not_reorder_deliveries(self, lake, inbox):
        drop(inbox, *GOOD)
        (first,) = ingest.land(case(), "flights", [DAY], lake, inbox).deliveries
        late = first.landed + timedelta(days=9)
        key = f"deliveries/late/flights/{first.identity}.json"
        lake.put(key, json.dumps({**json.loads(lake.get(key)), "landed_at": late.isoformat()}).encode())
        drop(inbox, GOOD[0])
        ingest.land(case(), "flights", [DAY], lake, inbox)
        landed = Feed(case(), "flights", lake).deliveries([DAY])
        assert [delivery.landed for delivery in landed] == [late, late + timedelta(microseconds=1)]


@pytest.mark.slow
class TestAgain:
    def test_every_stage_again_changes_nothing(self, lake, inbox):
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

    def test_the_same_bytes_again_say_that_there_is_nothing_new(self, lake, inbox):
        drop(inbox, *GOOD)
        assert stage(lake, inbox).summary()["news"] == "1 new"
        again = stage(lake, inbox).summary()
        assert (again["new"], again["news"]) == (0, "nothing new: these bytes have landed before")

    def test_many_partitions_at_once_give_what_one_by_one_gives(self, lake, inbox, tmp_path):
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

    def test_deliveries_of_a_partition_in_any_order_end_in_the_same_rows(self, lake, inbox, tmp_path):
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

    def test_publishing_at_the_same_time_ends_in_one_state(self, lake, inbox, tmp_path):
        parts = case(path="flights/{partition}*")
        for name in "abcd":
            drop(inbox, f"{ord(name)},2013-04-01T05:00:00Z,1", f"{ord(name)},x,1", name=f"{DAY}-{name}.csv")
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _: stage(lake, inbox, of=parts), range(4)))
        alone = Lake(str(tmp_path / "alone"))
        stage(alone, inbox, of=parts)
        assert state(lake) == state(alone)
        assert len(lake.keys("deliveries")) == 4

    def test_a_late_publisher_does_not_undo_a_newer_one(self, lake, inbox):
        drop(inbox, *GOOD)
        old = ingest.land(case(), "flights", [DAY], lake, inbox).deliveries
        ingest.validate(case(), "flights", [DAY], lake)
        drop(inbox, "3,2013-04-01T05:00:00Z,1")
        stage(lake, inbox)
        ingest.publication.issue(Feed(case(), "flights", lake), old, {})
        assert [row["id"] for row in raw(lake)] == [1, 2, 3]

    def test_whatever_was_done_before_a_kill_the_next_run_ends_the_same(self, lake, inbox, tmp_path):
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

    def test_rows_published_without_the_mark_are_marked_by_the_next_run(self, lake, inbox):
        drop(inbox, *GOOD)
        stage(lake, inbox)
        (mark,) = lake.keys("published")
        os.unlink(f"{lake.uri}/{mark}")
        stage(lake, inbox)
        assert ingest.delivered(case(), "flights", lake) == {DAY}
        assert lake.version(RAW) == 1


@pytest.mark.slow
class TestBulk:
    def test_what_cannot_go_on_does_not_hold_up_the_others(self, lake, inbox):
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

    def test_what_tasks_hand_on_stays_small_for_many_partitions(self, lake, inbox):
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


@pytest.mark.slow
def test_a_column_that_the_spec_adds_or_drops_leaves_old_rows_readable(lake, inbox):
    more = case(gate={"type": "string", "nullable": True})
    drop(inbox, *GOOD, name=f"{DAYS[0]}.csv")
    stage(lake, inbox, DAYS[:1])
    drop(inbox, f"{GOOD[0]},B7", day=DAYS[1], header="id,at,delay,gate")
    stage(lake, inbox, DAYS[1:2], of=more)
    assert {(row["partition"], row["gate"]) for row in raw(lake)} == {(DAYS[0], None), (DAYS[1], "B7")}
    stage(lake, inbox, DAYS[1:2])
    version = lake.version(RAW)
    stage(lake, inbox, DAYS[:2])
    assert lake.version(RAW) == version


@pytest.mark.slow
def test_a_column_of_another_type_is_refused_before_anything_is_written(lake, inbox):
    drop(inbox, *GOOD)
    stage(lake, inbox)
    before = state(lake)
    drop(inbox, "1,2013-04-02T05:00:00Z,10", day=DAYS[1])
    other = case(id={"type": "string"})
    with pytest.raises(SpecInvalid, match=r"Column 'id' of raw/late/flights is string .* are integer") as no:
        stage(lake, inbox, DAYS[1:2], of=other)
    assert "declare it as integer again; for deliveries of the new type declare a source of another name" in str(
        no.value
    )
    assert state(lake) == before
    assert ingest.delivered(other, "flights", lake) == {DAY}
    stage(lake, inbox, DAYS[1:2])
    assert len(raw(lake)) == 3


@pytest.mark.slow
def test_a_source_that_begins_to_delete_leaves_what_was_there_before(lake, inbox):
    drop(inbox, *GOOD)
    stage(lake, inbox)
    more = case(is_gone={"type": "boolean", "nullable": True})
    source = more.sources["flights"].model_copy(update={"deleted": Deleted(column="is_gone")})
    more = more.model_copy(update={"sources": {"flights": source}})
    drop(inbox, f"{GOOD[0]},true", f"{GOOD[1]},", day=DAYS[1], header="id,at,delay,is_gone")
    stage(lake, inbox, DAYS[1:2], of=more)
    told = {(row["partition"], row["id"]): row["gone"] for row in raw(lake)}
    assert told == {(DAY, 1): None, (DAY, 2): None, (DAYS[1], 1): True, (DAYS[1], 2): False}


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

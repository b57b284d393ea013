"""Validating and publishing: rows that keep the contract are published, the others are held with what they were."""

import hashlib
import json
from datetime import UTC, datetime

import pytest
from tests.deliveries import DAY, GOOD, RAW, case, drop, quarantine, raw, stage

from updraft import ingest
from updraft.errors import (
    DeliveryBlocked,
    DeliveryMissing,
    ValidationBroken,
)


def test_rows_carry_when_and_where_they_came_from(lake, inbox):
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


def test_bad_rows_go_to_quarantine_with_what_they_were(lake, inbox):
    drop(inbox, GOOD[0], "2,2013-04-01T06:00:00Z,999", "3,yesterday,1", GOOD[1])
    published = stage(lake, inbox)
    assert (published.rows, published.quarantined) == (2, 2)
    assert sorted(row["row"] for row in raw(lake)) == [1, 4]
    found = quarantine(lake)
    assert [(row["row"], row["rule"]) for row in found] == [(2, "range"), (3, "type")]
    assert found[0]["reason"] == "delay: 999 is not between -60.0 and 100.0"
    assert [row["line"] for row in found] == [3, 4]
    assert json.loads(found[1]["original"]) == {"id": "3", "at": "yesterday", "delay": "1"}


def test_nothing_of_a_blocked_delivery_is_published_and_the_error_says_what_to_do(lake, inbox):
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


def test_a_repaired_delivery_heals_and_the_blocked_one_stays_as_history(lake, inbox):
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


def test_a_blocked_part_is_not_healed_by_another_part_that_landed_with_it(lake, inbox):
    parts = case(path="flights/{partition}*")
    drop(inbox, "1,x,1", name=f"{DAY}-a.csv")
    drop(inbox, *GOOD, name=f"{DAY}-b.csv")
    with pytest.raises(DeliveryBlocked):
        stage(lake, inbox, of=parts)
    assert len(raw(lake)) == 2
    assert ingest.delivered(parts, "flights", lake) == set()


@pytest.mark.parametrize("content", ["", "id,at,delay\n"])
def test_the_contract_decides_about_a_delivery_without_rows(lake, inbox, content):
    drop(inbox).write_text(content)
    with pytest.raises(DeliveryBlocked, match="it has 0 rows, the contract asks for 1 to 100"):
        stage(lake, inbox)
    published = stage(lake, inbox, of=case(rows=(0, 100)))
    assert (published.rows, published.version) == (0, None)
    assert ingest.delivered(case(), "flights", lake) == {DAY}


def test_the_report_is_kept_whatever_the_outcome(lake, inbox):
    drop(inbox, *GOOD)
    ingest.land(case(), "flights", [DAY], lake, inbox)
    validated = ingest.validate(case(), "flights", [DAY], lake)
    (verdict,) = validated.verdicts
    assert b"default-src 'none'" in lake.get(verdict.report)
    assert validated.summary() == {
        "source": "flights", "deliveries": 1, "accepted": 1, "quarantined": 0, "blocked": 0, "rows": 2, "bad": 0,
        "warned": 0, "partitions_blocked": [], "reports": [verdict.report],
    }  # fmt: skip


def test_what_was_not_validated_is_not_published(lake, inbox):
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
def test_a_stricter_contract_takes_back_what_it_rejects(lake, inbox):
    drop(inbox, *GOOD)
    stage(lake, inbox)
    stage(lake, inbox, of=case(top=15))
    assert [row["id"] for row in raw(lake)] == [1]
    assert [row["row"] for row in quarantine(lake)] == [2]


def test_staged_bytes_that_changed_are_not_trusted(lake, inbox):
    drop(inbox, *GOOD)
    (delivery,) = ingest.land(case(), "flights", [DAY], lake, inbox).deliveries
    lake.put(f"staging/late/flights/{delivery.identity}", b"id,at,delay\n7,2013-04-01T05:00:00Z,1\n")
    with pytest.raises(ValidationBroken, match="not those that landed"):
        ingest.validate(case(), "flights", [DAY], lake)

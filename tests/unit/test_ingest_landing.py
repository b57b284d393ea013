"""Landing: bytes are kept as they came, and what cannot be read leaves no trace."""

import hashlib
import json

import pytest
from tests.deliveries import DAY, DAYS, GOOD, case, drop

from updraft import ingest
from updraft.errors import (
    DeliveryMissing,
    DeliveryRefused,
    PartitionInvalid,
    SpecInvalid,
)


def test_bytes_are_staged_as_they_came_with_a_record(lake, inbox):
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


def test_the_same_bytes_keep_their_first_record_whatever_they_are_called(lake, inbox):
    any_name = case(path="flights/{partition}*")
    drop(inbox, *GOOD)
    (first,) = ingest.land(any_name, "flights", [DAY], lake, inbox).deliveries
    drop(inbox, *GOOD, name=f"{DAY}-again.csv")
    again = ingest.land(any_name, "flights", [DAY], lake, inbox)
    assert again.deliveries == (first,)
    assert again.new == 0


def test_no_file_is_missing_until_something_has_landed(lake, inbox):
    with pytest.raises(DeliveryMissing, match="no delivery of flights for 2013-04-01 yet"):
        ingest.land(case(), "flights", [DAY], lake, inbox)
    path = drop(inbox, *GOOD)
    ingest.land(case(), "flights", [DAY], lake, inbox)
    path.unlink()
    assert ingest.land(case(), "flights", [DAY], lake, inbox).new == 0


def test_an_unreadable_delivery_is_refused_and_leaves_no_trace(lake, inbox):
    drop(inbox, *GOOD, header="id,at,Delay")
    with pytest.raises(DeliveryRefused, match=r"flights/2013-04-01.csv is refused. It lacks 1 of 3.*'Delay'"):
        ingest.land(case(), "flights", [DAY], lake, inbox)
    assert lake.keys("deliveries") == lake.keys("staging") == []


def test_what_can_land_lands_before_anything_is_raised(lake, inbox):
    drop(inbox, *GOOD, day=DAYS[0], header="nonsense")
    drop(inbox, *GOOD, day=DAYS[2])
    with pytest.raises(DeliveryRefused):
        ingest.land(case(), "flights", DAYS, lake, inbox)
    assert [key.split("/")[3] for key in lake.keys("deliveries")] == [DAYS[2]]


def test_keys_and_names_of_strangers_are_refused(lake, inbox):
    with pytest.raises(PartitionInvalid):
        ingest.land(case(), "flights", ["../../etc"], lake, inbox)
    with pytest.raises(SpecInvalid, match="did you mean 'flights'"):
        ingest.land(case(), "flight", [DAY], lake, inbox)

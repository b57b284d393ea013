import json
import math
from dataclasses import asdict

import pytest
from tests.unit.conftest import INGESTED

from updraft.ingest.feed import Feed
from updraft.ingest.late import Late
from updraft.lake import Lake
from updraft.life.supply import supplied

pytestmark = pytest.mark.slow  # ingests files


def of(found, source):
    return {one.partition: one for one in found if one.source == source}


def test_what_was_delivered_is_counted_by_source_and_partition(parcels_case, ingested):
    found = of(supplied(parcels_case, INGESTED, ingested), "parcels")
    first = found[INGESTED[0]]
    assert list(found) == INGESTED
    assert (first.whole, first.rows, first.bad, first.late, first.deliveries) == (True, 60, 1, 0, 1)
    assert sum(first.broken.values()) == 1
    assert (found[INGESTED[1]].bad, found[INGESTED[1]].broken) == (0, {})


def test_the_lag_is_from_the_moment_of_the_partition_to_its_first_delivery(parcels_case, ingested):
    feed = Feed(parcels_case, "parcels", ingested)
    (delivery,) = feed.deliveries(INGESTED[1:2])
    hours = (delivery.landed - feed.calendar.at(INGESTED[1]).as_of).total_seconds() / 3600
    assert of(supplied(parcels_case, INGESTED, ingested), "parcels")[INGESTED[1]].lag_hours == hours > 0


def test_a_history_that_has_an_end_is_replayed_and_has_no_lag(parcels_case, ingested):
    ended = parcels_case.model_copy(
        update={"partitions": parcels_case.partitions.model_copy(update={"last": INGESTED[-1]})}
    )
    assert math.isnan(of(supplied(ended, INGESTED, ingested), "parcels")[INGESTED[1]].lag_hours)


def test_rows_of_a_delivery_that_came_late_are_late(parcels_case, ingested):
    (delivery,) = Feed(parcels_case, "parcels", ingested).deliveries(INGESTED[1:2])
    missed = ("2024-01-04",)
    late = Late("parcels", delivery.partition, delivery.delivery, "2024-01-05T00:00:00+00:00", missed, (), "keep")
    ingested.put(f"late/parcels/parcels/{delivery.identity}.json", json.dumps(asdict(late)).encode())
    found = of(supplied(parcels_case, INGESTED, ingested), "parcels")
    assert (found[INGESTED[1]].late, found[INGESTED[2]].late) == (60, 0)


@pytest.mark.parametrize("whole", [True, False])
def test_a_partition_without_a_delivery_is_whole_when_it_is_marked_as_published(parcels_case, tmp_path, whole):
    lake = Lake(str(tmp_path / "lake"))
    if whole:
        Feed(parcels_case, "parcels", lake).announce(["2024-02-01"])
    found = of(supplied(parcels_case, ["2024-02-01"], lake), "parcels")["2024-02-01"]
    assert (found.whole, found.rows, found.deliveries) == (whole, 0, 0)
    assert math.isnan(found.lag_hours)

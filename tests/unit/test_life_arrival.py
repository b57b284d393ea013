"""When labels were there, read from the lake by asking the label query as of one moment after another."""

from datetime import timedelta

import pyarrow as pa
import pytest
from tests import parcels
from tests.watching import LATE, QUIET, at, champion, measured, watch

from updraft.asof import raw_schema, raw_table
from updraft.life import arrival
from updraft.partition import calendar

pytestmark = pytest.mark.slow


def seen(world, key, model=None):
    scored = world.lake.partitions("scores/parcels")
    return arrival.arrivals(world.case, at(world, key), world.lake, model or champion(world), scored)


def test_labels_are_there_at_the_age_at_which_they_were_reported(drifting):
    found = seen(drifting, "2024-01-25")
    assert (found.ages, found.mature) == ((1, 2, 3, 6), 3)
    labelled = found.rows[found.rows["label"].notna()]
    assert set(labelled["age"]) == {2}, "reported six hours after the day, and seen on the evening of the next"
    assert set(found.rows["partition"]) == {"2024-01-18", "2024-01-19", "2024-01-21", "2024-01-22"}
    assert found.rows["score"].notna().all()


def test_rows_whose_label_is_undefined_by_definition_are_no_part_of_it(drifting):
    found = seen(drifting, "2024-01-25")
    assert found.rows["age"].notna().all(), "a parcel that was lost has no label, and is not awaited"
    assert len(found.rows) < 4 * parcels.PER_DAY


def delayed(world, shipped, share, days):
    """Let a share of the late parcels of a day be reported some days later than the others."""
    table, dates = raw_table(world.case, "arrivals"), calendar(world.case)
    told = dates.step(dates.at(shipped), 2).key
    rows = world.lake.read(table, [told]).to_pylist()
    late = [row for row in rows if (row["hours_late"] or 0) > 0]
    slow = {row["parcel"] for row in late[: round(share * len(late))]}
    for row in rows:
        row["known_at"] += timedelta(days=days * (row["parcel"] in slow))
    schema, key = raw_schema(world.case.sources["arrivals"]), dates.step(dates.at(told), days).key
    stay, move = ([r for r in rows if (r["parcel"] in slow) is moved] for moved in (False, True))
    there = world.lake.read(table, [key]).to_pylist() + [{**row, "partition": key} for row in move]
    world.lake.replace(table, pa.Table.from_pylist(stay, schema), [told])
    world.lake.replace(table, pa.Table.from_pylist(there, schema), [key])
    return slow


def test_a_label_that_is_reported_later_than_maturity_is_seen_later(drifting):
    slow = delayed(drifting, "2024-01-19", 0.5, 3)
    rows = seen(drifting, "2024-01-25").rows
    assert len(slow) > 5
    assert (rows["age"] == 6).sum() == len(slow)
    assert set(rows.loc[rows["age"] == 6, "label"]) == {1.0}
    young = seen(drifting, "2024-01-22").rows
    of_the_day = young[young["partition"] == "2024-01-19"]
    assert of_the_day["age"].isna().sum() == len(slow), "not known then, and so not seen then"


def test_before_anything_is_mature_there_is_no_cohort(observed):
    assert arrival.arrivals(observed.case, at(observed, "2024-01-01"), observed.lake, champion(observed), []) is None
    assert seen(observed, QUIET) is None


def test_a_look_says_how_many_labels_had_arrived_by_which_age(drifting):
    watch(drifting, LATE)
    curve = {
        r["subject"]: r
        for r in drifting.lake.read("monitor/parcels", [LATE]).to_pylist()
        if r["metric"] == "label_arrival"
    }
    assert {age: row["value"] for age, row in curve.items()} == {"1": 0.0, "2": 1.0, "3": 1.0, "6": 1.0}
    assert curve["2"]["low"] < 1.0 == curve["2"]["high"]
    assert curve["3"]["reason"].endswith("the age at which labels count")
    assert measured(drifting, LATE, "arrival_gap", "outcome")["value"] < 0.05


def test_scores_of_another_champion_are_not_taken_for_the_champions(drifting):
    rows = seen(drifting, "2024-01-25", "f" * 64).rows
    assert rows["score"].isna().all()
    assert rows["age"].notna().all()

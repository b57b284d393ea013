"""Volume and freshness: a delivery is held against the partitions before it and against its own moment."""

from datetime import timedelta

import pyarrow as pa
import pytest
from tests.ruled import GOOD, NOON, ROWS, WEEK, check, delivered, mutated, source

from updraft import contract
from updraft.contract import Facts, Surroundings

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("around", "why"),
    [
        ({"published": {"2013-03-29": ROWS, "2013-03-30": ROWS}}, "only 2 of 3 partitions before it are published"),
        ({"published": {}}, "only 0 of 3"),
        ({"published": {**WEEK, "2013-03-28": 0, "2013-03-29": 0}}, "median of the 3 partitions before it is 0 rows"),
        ({"corrects": True}, "it corrects an earlier delivery"),
    ],
)
def test_a_volume_that_cannot_be_compared_is_told_and_blocks_nothing(around, why):
    found = check(GOOD[:11], **around)
    assert found.outcome == "accepted"
    assert why in found.summary["undefined"]["volume"]
    assert b"not judged: volume" in found.report_html


def test_volume_compares_to_the_partitions_right_before_and_to_no_later_one():
    history = {"2013-03-01": 1, "2013-03-02": 1, **WEEK, "2013-04-01": 1, "2013-04-02": 1}
    assert check(GOOD, published=history).outcome == "accepted"
    assert check(GOOD, published={**dict.fromkeys(WEEK, 30)}).why == (
        "it has 20 rows, 0.67 times the median of the 3 partitions before it, the contract asks for 0.8 to 1.2"
    )


def test_deliveries_judged_together_are_compared_as_if_published_one_by_one():
    declared, days = source(rows={"between": [1, 99]}), [f"2013-03-{day}" for day in range(10, 17)]
    sizes = dict(zip(days, [20, 20, 20, 5, 19, 20, 40], strict=True))

    def around(published, *which):
        known = {"plane": pa.array(["N1"])}
        return Surroundings("UTC", published, {day: Facts(day, NOON, known=known) for day in which})

    loose = declared.model_copy(update={"contract": declared.contract.model_copy(update={"unique": None})})
    deliveries = {day: delivered((GOOD * 2)[:count], loose) for day, count in sizes.items()}
    together = contract.check("flights", loose, dict(reversed(deliveries.items())), around({}, *days))
    published, alone = {}, {}
    for day in days:
        alone[day] = contract.check("flights", loose, {day: deliveries[day]}, around(published, day))[day]
        if alone[day].outcome != "blocked":
            published[day] = sizes[day]
    assert {day: found.why for day, found in together.items()} == {day: found.why for day, found in alone.items()}
    assert [alone[day].outcome for day in days] == [*["accepted"] * 3, "blocked", "accepted", "accepted", "blocked"]


@pytest.mark.parametrize(
    ("hours", "outcome"), [(5.9, "accepted"), (6, "accepted"), (6.1, "blocked"), (-30, "accepted")]
)
def test_the_newest_row_decides_how_fresh_a_delivery_is(hours, outcome):
    newest = (NOON - timedelta(hours=hours)).isoformat()
    rows = [*mutated(ROWS, at="2013-03-01T00:00:00Z")[1:], {**GOOD[0], "at": newest}]
    assert check(rows).outcome == outcome


def test_without_a_readable_row_freshness_is_undefined():
    found = check([], source(rows={"between": [0, 9]}), published={})
    assert found.outcome == "accepted"
    assert found.summary["undefined"]["freshness"] == "no row says when it was"

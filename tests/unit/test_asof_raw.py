from datetime import UTC, datetime

import pyarrow as pa
import pytest

from updraft.asof.raw import STAMP, Turns

DAYS = ["2024-01-01", "2024-01-02", "2024-01-03"]
MOMENTS = [datetime(2024, 1, day, 12, tzinfo=UTC) for day in (1, 2, 3)]


def delivered(day, *said):
    """Rows of a delivery: `2 09:00 a` is row a, known at nine of the second."""
    known = [datetime.fromisoformat(f"2024-01-0{one[:7]}:00+00:00") for one in said]
    ids, days = [one[8:] for one in said], [day] * len(said)
    return pa.table(
        {"id": pa.array(ids, pa.string()), "known_at": pa.array(known, STAMP), "partition": pa.array(days, pa.string())}
    )


def turns(rows):
    return [(r["id"], r["_day"], r["_turn"]) for r in rows.to_pylist()]


@pytest.mark.parametrize(
    ("day", "known", "turn"),
    [
        pytest.param(0, "1 09:00", 0, id="known before its partition's moment"),
        pytest.param(0, "1 12:00", 0, id="known at its partition's moment"),
        pytest.param(0, "1 12:01", 1, id="known after it: the next one sees it first"),
        pytest.param(0, "3 12:00", 2, id="held back for two partitions"),
        pytest.param(0, "4 09:00", 3, id="known after all of them"),
        pytest.param(2, "1 09:00", 2, id="claimed to have been known before it was delivered"),
    ],
)
def test_the_turn_is_that_of_the_first_partition_that_has_the_delivery_and_comes_late_enough(day, known, turn):
    assert turns(Turns(DAYS, MOMENTS)(delivered(DAYS[day], f"{known} a"), DAYS[-1])) == [("a", day, turn)]


def test_a_row_given_before_its_turn_waits_for_it():
    take = Turns(DAYS, MOMENTS)
    assert turns(take(delivered(DAYS[0], "1 09:00 a", "3 09:00 b", "2 09:00 c"), DAYS[0])) == [("a", 0, 0)]
    assert turns(take(delivered(DAYS[1], "2 09:00 d", "4 09:00 e"), DAYS[1])) == [("c", 0, 1), ("d", 1, 1)]
    assert turns(take(delivered(DAYS[2]), DAYS[2])) == [("b", 0, 2), ("e", 1, 3)]


def test_nothing_waits_for_what_comes_after_the_last_partition():
    assert turns(Turns(DAYS, MOMENTS)(delivered(DAYS[2], "4 09:00 a"), DAYS[2])) == [("a", 2, 3)]

"""One history for many partitions: each sees the rows, and their order, that it sees alone."""

import random
from datetime import timedelta
from pathlib import Path

import pytest
from tests.known import ALL, DAYS, NOON, amounts, deleting, deliver, history, moment, row, seen

from updraft.asof import loading
from updraft.partition import calendar


@pytest.fixture
def facts(sql_case):
    """A use case whose partitions are computed at noon of the day before."""
    return sql_case(ALL, problem={"lead_time": "12h"})


@pytest.fixture
def looking_back(sql_case, make_case):
    source = make_case().sources["facts"].model_dump(mode="json", exclude_none=True) | {"lookback": "2d"}
    return sql_case(ALL, problem={"lead_time": "12h"}, sources={"facts": source})


@pytest.mark.parametrize(
    ("delivered", "order"),
    [
        pytest.param([row("b", known_at="1 09:00"), row("a")], "ba", id="known a day earlier"),
        pytest.param([row("b", known_at="1 13:00"), row("a")], "ab", id="first seen by the same partition"),
        pytest.param(
            [row("b", known_at="2 11:00", delivered="2024-01-01"), row("a", known_at="1 13:00")], "ab", id="held back"
        ),
        pytest.param([row("b", known_at="1 09:00"), row("b", 9.0), row("a")], "ab", id="corrected: as if known then"),
        pytest.param(
            [row("b", known_at="1 09:00"), row("c", known_at="1 09:00"), row("c", 9.0)], "bc", id="beside one"
        ),
        pytest.param([row("b", known_at="1 10:00", delivered=NOON), row("a")], "ab", id="claimed too early"),
    ],
)
def test_rows_come_in_the_order_in_which_partitions_could_see_them_then_of_their_keys(lake, facts, delivered, order):
    deliver(lake, facts, delivered)
    days = [calendar(facts).at(day) for day in DAYS]
    with history(lake, facts, first=DAYS[0], latest=days[-1].as_of) as known:
        together = known.ask(days[2], days[2].as_of).to_pylist()
    assert [r["id"] for r in together] == list(order)
    assert together == seen(lake, facts)


def test_a_partition_asked_among_many_sees_the_order_it_sees_alone(lake, looking_back):
    """Whatever the loading begins with, what was held back or claimed too early stays in its place."""
    draw = random.Random(3)
    dates = calendar(looking_back)
    rows = [
        row(n % 23, float(n), dates.opens_at(dates.at(day)) + timedelta(hours=draw.randrange(-30, 90)), day, f"d{n}", n)
        for n, day in enumerate(DAYS * 12)
    ]
    deliver(lake, looking_back, rows)
    with history(lake, looking_back, first=DAYS[0], latest=dates.at(DAYS[-1]).as_of) as known:
        together = [known.ask(dates.at(day), dates.at(day).as_of).to_pylist() for day in DAYS]
    assert together == [seen(lake, looking_back, day) for day in DAYS]
    assert max(map(len, together)) > 10


@pytest.mark.parametrize("corrected", [False, True], ids=["each fact once", "some facts corrected, some gone"])
@pytest.mark.parametrize("together", [1, 100])
def test_a_history_read_in_several_parts_is_the_one_read_at_once(lake, make_case, monkeypatch, together, corrected):
    """With rows that were held back, or claimed to have been known before they were delivered, in every part."""
    draw, case = random.Random(together), deleting(make_case, lookback="2d")
    case._folder = Path(lake.uri).parent
    (case._folder / "features.sql").write_text("SELECT *, sum(amount) OVER (ROWS UNBOUNDED PRECEDING) AS s FROM facts")
    dates = calendar(case)
    rows = [
        row(
            draw.randrange(40) if corrected else n, n / 3,
            dates.opens_at(dates.at(day)) + timedelta(hours=draw.randrange(-30, 90)),
            day, f"d{n % 5}", n, corrected and n % 9 == 0,
        )
        for n, day in enumerate(DAYS * 20)
    ]  # fmt: skip
    deliver(lake, case, draw.sample(rows, len(rows)))
    asked = [(dates.at(day), dates.at(day).as_of) for day in DAYS]
    found = []
    for values in (loading.TOGETHER, together):
        monkeypatch.setattr(loading, "TOGETHER", values)
        parts = list(loading.slices(lake.counts("raw/tiny/facts"), DAYS, 7))
        with history(lake, case, first=DAYS[0], latest=asked[-1][1]) as known:
            found.append((len(parts), list(known.ask_each(asked))))
    (once, at_once), (often, in_parts) = found
    assert (once, often > 2) == (1, True)
    assert max(map(len, at_once)) > 20
    assert [rows.to_pylist() for rows in in_parts] == [rows.to_pylist() for rows in at_once]


def test_a_history_read_in_several_parts_is_of_one_version(lake, facts, monkeypatch):
    """Whoever writes in between writes for the next one who looks."""
    deliver(lake, facts, [row(n, float(n), delivered=day) for n, day in enumerate(DAYS[:3])])
    monkeypatch.setattr(loading, "TOGETHER", 1)
    known = history(lake, facts, first=NOON, latest=moment("12:00"))
    assert known._lake.version("raw/tiny/facts") == 1
    deliver(lake, facts, [row(2, 9.0, delivered=NOON)])
    with known:
        assert known.ask(calendar(facts).at(NOON), moment("12:00"))["amount"].to_pylist() == [0.0, 1.0, 2.0]
        assert known.versions == {"raw/tiny/facts": 1}


def test_asking_for_many_partitions_at_once_answers_each_in_its_turn(lake, looking_back):
    deliver(lake, looking_back, [row(id=n, amount=n, delivered=day, known_at="1 13:00") for n, day in enumerate(DAYS)])
    days = [calendar(looking_back).at(day) for day in DAYS * 3]
    with history(lake, looking_back, first=DAYS[0], latest=days[5].as_of) as known:
        each = list(known.ask_each([(day, day.as_of) for day in days]))
        assert [rows.to_pylist() for rows in each] == [known.ask(day, day.as_of).to_pylist() for day in days]
        assert [len(rows) for rows in each] == [0, 0, 3, 3, 3, 3] * 3


# ---- how far back ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("delivered", "visible"),
    [("2024-01-05", [5]), ("2024-01-04", [5]), ("2024-01-03", [5]), ("2024-01-02", []), ("2024-01-01", [])],
)
def test_a_delivery_from_before_the_lookback_is_not_seen(lake, looking_back, delivered, visible):
    deliver(lake, looking_back, [row(known_at="1 13:00", delivered=delivered)])
    assert amounts(lake, looking_back, "2024-01-05") == visible


def test_a_partition_asked_beside_older_ones_sees_what_it_sees_alone(lake, looking_back):
    deliver(lake, looking_back, [row(id=n, amount=n, delivered=day, known_at="1 13:00") for n, day in enumerate(DAYS)])
    dates = calendar(looking_back)
    alone = {day: amounts(lake, looking_back, day) for day in DAYS}
    with history(lake, looking_back, first=DAYS[0], latest=dates.at(DAYS[-1]).as_of) as known:
        for day in reversed(DAYS):
            together = known.ask(dates.at(day), dates.at(day).as_of)["amount"].to_pylist()
            assert together == alone[day], day
    assert alone["2024-01-06"] == [3, 4, 5]


def test_deliveries_from_before_the_lookback_are_not_opened(lake, looking_back, tmp_path):
    deliver(lake, looking_back, [row(delivered=day, known_at="1 13:00") for day in DAYS])
    for file in (tmp_path / "lake" / "raw" / "tiny" / "facts" / "partition=2024-01-01").glob("*.parquet"):
        file.write_bytes(b"broken")
    assert amounts(lake, looking_back, "2024-01-05") == [5]
    with pytest.raises(Exception, match=r"Parquet|parquet"):
        amounts(lake, looking_back, "2024-01-03")

"""What one partition sees of a source: the newest version of every fact that was known at its moment."""

import random
from datetime import timedelta
from pathlib import Path

import pytest
from tests.known import ALL, NOON, amounts, deleting, deliver, history, moment, row, seen

from updraft.lake import Lake
from updraft.partition import calendar
from updraft.rows import digest


@pytest.fixture
def facts(sql_case):
    """A use case whose partitions are computed at noon of the day before."""
    return sql_case(ALL, problem={"lead_time": "12h"})


@pytest.mark.parametrize(
    ("delivered", "visible_at_noon"),
    [
        pytest.param([row(amount=5, known_at="09:00")], [5], id="known before"),
        pytest.param([row(amount=5, known_at="15:00")], [], id="known after"),
        pytest.param([row(amount=5, known_at="12:00")], [5], id="known at the very moment"),
        pytest.param([row(amount=5, known_at="09:00"), row(amount=9, known_at="11:00")], [9], id="corrected before"),
        pytest.param([row(amount=5, known_at="09:00"), row(amount=9, known_at="15:00")], [5], id="corrected after"),
        pytest.param([row(amount=5, known_at="09:00"), row(amount=None, known_at="11:00")], [None], id="taken back"),
        pytest.param([row(amount=9, known_at="11:00"), row(amount=5, known_at="09:00", row=2)], [9], id="out of order"),
        pytest.param(
            [row(amount=5, known_at="09:00"), row(amount=9, known_at="12:30", delivered=NOON)], [5], id="known too late"
        ),
        pytest.param([row(id=2, amount=2), row(id=1, amount=1)], [1, 2], id="two facts, in the order of their keys"),
        pytest.param([row(amount=5), row(amount=5, row=2)], [5], id="the same row twice is one fact"),
    ],
)
def test_a_view_shows_the_newest_version_known_at_its_moment(lake, facts, delivered, visible_at_noon):
    deliver(lake, facts, delivered)
    assert amounts(lake, facts) == visible_at_noon


@pytest.mark.parametrize(
    ("delivered", "visible_at_noon"),
    [
        pytest.param([row(gone=True)], [], id="gone, and never seen"),
        pytest.param([row(), row(gone=True, known_at="11:00")], [], id="gone before"),
        pytest.param([row(), row(gone=True, known_at="12:00")], [], id="gone at the very moment"),
        pytest.param([row(), row(gone=True, known_at="15:00")], [5], id="gone after"),
        pytest.param(
            [row(), row(gone=True, known_at="10:00"), row(amount=7, known_at="11:00")], [7], id="gone and made again"
        ),
        pytest.param([row(known_at="11:00"), row(gone=True, known_at="10:00")], [5], id="gone before it was known"),
        pytest.param([row(), row(id=2, amount=2), row(gone=True, known_at="10:00")], [2], id="another one stays"),
        pytest.param([row(), row(amount=9, gone=True, row=2)], [], id="gone in the same delivery, further down"),
        pytest.param([row(gone=True), row(amount=9, row=2)], [9], id="made again in the same delivery"),
    ],
)
def test_a_fact_that_is_gone_is_not_seen_from_then_on(lake, make_case, delivered, visible_at_noon):
    case = deleting(make_case)
    case._folder = Path(lake.uri).parent
    (case._folder / "features.sql").write_text(ALL)
    deliver(lake, case, delivered)
    assert amounts(lake, case) == visible_at_noon


@pytest.mark.parametrize(
    ("delivered", "wins"),
    [
        pytest.param([row(amount=1, row=1), row(amount=2, row=2)], 2, id="the later row of one delivery"),
        pytest.param([row(amount=1, delivery="a"), row(amount=2, delivery="b")], 2, id="the greater digest"),
        pytest.param(
            [row(amount=1, delivery="a", row=9), row(amount=2, delivery="b", row=1)], 2, id="digest before row"
        ),
        pytest.param(
            [row(amount=1, delivery="z", known_at="08:59"), row(amount=2, delivery="a")], 2, id="time before digest"
        ),
    ],
)
def test_a_tie_is_broken_in_the_same_way_whatever_the_order_of_arrival(lake, facts, delivered, wins):
    for number, order in enumerate([delivered, delivered[::-1]]):
        deliver(lake, facts, order)
        assert amounts(lake, facts) == [wins], f"attempt {number}"


def test_the_order_of_the_deliveries_and_of_their_rows_leaves_no_trace(tmp_path, facts):
    rows = [row(id=i % 7, amount=i / 3, known_at=f"{h:02}:00", row=i) for i, h in enumerate([1, 5, 2, 8, 3, 11, 7] * 5)]
    answers = []
    for seed in range(3):
        lake, mixed = Lake(str(tmp_path / str(seed))), random.Random(seed).sample(rows, len(rows))
        deliver(lake, facts, mixed)
        answers.append(seen(lake, facts))
    assert answers[0] == answers[1] == answers[2]
    assert [r["id"] for r in answers[0]] == [str(i) for i in range(7)]


def test_equal_knowledge_gives_equal_bytes_whoever_delivered_it_when(tmp_path, sql_case):
    """Sums of doubles depend on their order: the view must fix it."""
    case = sql_case("SELECT sum(amount) AS total, avg(amount) AS mean FROM facts", problem={"lead_time": "12h"})
    rows = [row(id=i, amount=10.0 ** (i % 17) / 3, row=i) for i in range(200)]
    answers = set()
    for seed in range(4):
        lake, day = Lake(str(tmp_path / str(seed))), calendar(case).at(NOON)
        deliver(lake, case, random.Random(seed).sample(rows, len(rows)))
        with history(lake, case, first=NOON, latest=day.as_of) as known:
            answers.add(digest(known.ask(day, day.as_of)))
    assert len(answers) == 1


def test_many_facts_of_which_some_were_corrected_come_in_the_order_of_their_keys(lake, sql_case):
    """Enough rows for several of the engine's batches, and for one that none of them fills."""
    case = sql_case("SELECT id, amount FROM facts")
    rows = [row(id=f"{i:05}", amount=float(i), row=i) for i in range(5000)]
    again = [{**r, "amount": -1.0, "known_at": "10:00", "delivery": "e"} for r in rows if r["row"] % 7 == 0]
    deliver(lake, case, random.Random(1).sample([*rows, *again], len(rows) + len(again)))
    assert seen(lake, case) == [{"id": f"{i:05}", "amount": -1.0 if i % 7 == 0 else float(i)} for i in range(5000)]


@pytest.mark.parametrize(
    ("at", "visible"),
    [
        pytest.param(timedelta(0), [5.0], id="at the moment it became known"),
        pytest.param(timedelta(microseconds=-1), [], id="a microsecond before"),
        pytest.param(timedelta(microseconds=1), [5.0], id="a microsecond after"),
    ],
)
def test_a_row_is_visible_from_the_moment_it_became_known(lake, facts, at, visible):
    known = calendar(facts).at(NOON).as_of
    deliver(lake, facts, [row(known_at=known)])
    assert amounts(lake, facts, at=known + at) == visible


def test_what_a_later_delivery_claims_to_have_been_known_before_is_not_believed(lake, facts):
    deliver(lake, facts, [row(amount=5), row(amount=9, known_at="10:00", delivered="2024-01-04")])
    assert amounts(lake, facts) == [5]
    assert amounts(lake, facts, "2024-01-04") == [9]


def test_the_first_partition_sees_what_its_own_delivery_brought(lake, facts):
    deliver(lake, facts, [row(known_at="1 11:00", delivered="2024-01-01")])
    assert amounts(lake, facts, "2024-01-01") == []
    assert amounts(lake, facts, "2024-01-02") == [5]


def test_a_source_nobody_delivered_is_an_empty_table(lake, facts):
    with history(lake, facts, first=NOON, latest=moment("12:00")) as known:
        assert known.ask(calendar(facts).at(NOON), moment("12:00")).num_rows == 0
        assert known.versions == {"raw/tiny/facts": -1}


def test_the_versions_that_were_read_are_named(lake, facts):
    deliver(lake, facts, [row()])
    deliver(lake, facts, [row(known_at="3 09:00")])
    with history(lake, facts, first=NOON, latest=moment("12:00")) as known:
        assert known.versions == {"raw/tiny/facts": 2}

"""A partition is ready when every source has delivered and its time has come, whoever says so."""

import shutil
from datetime import UTC, datetime, timedelta

import pytest
from tests.arriving import DAY, FILES, NEXT, drop
from tests.conftest import SPEC

from updraft import ingest
from updraft.arrivals.ready import ready
from updraft.partition import calendar

NOW = datetime(2024, 1, 2, 12, tzinfo=UTC)


def two(make_case):
    facts = SPEC["sources"]["facts"]
    return make_case(sources={"facts": facts, "more": {**facts, "path": "more/{partition}.csv"}})


def test_a_partition_is_ready_once_its_last_source_has_delivered(make_case, lake, inbox):
    case = two(make_case)
    drop(inbox, f"facts/{DAY}.csv")
    assert ready(case, [DAY], lake, inbox, NOW) == {DAY: "a delivery of more"}
    drop(inbox, f"more/{DAY}.csv")
    assert ready(case, [DAY], lake, inbox, NOW) == {DAY: ""}


def test_what_was_only_said_waits_and_starts_nothing(make_case, lake, inbox):
    assert ready(two(make_case), [DAY], lake, inbox, NOW) == {DAY: "a delivery of facts, more"}


@pytest.mark.slow
def test_a_correction_of_what_has_landed_is_ready_though_other_files_are_gone(make_case, lake, inbox):
    case = two(make_case)
    text = "id,amount,happened_at,reported_at\na,1,2024-01-02T00:00:00Z,2024-01-01T00:00:00Z\n"
    for source in case.sources:
        drop(inbox, f"{source}/{DAY}.csv", text)
        ingest.stage(case, source, [DAY], lake, inbox)
    shutil.rmtree(inbox / "more")
    assert ready(case, [DAY], lake, inbox, NOW) == {DAY: ""}


@pytest.mark.parametrize(
    ("moment", "newest"),
    [(NOW, NEXT), (NOW + timedelta(hours=6), "2024-01-04"), (NOW - timedelta(days=900), DAY)],
    ids=["before the next one's moment", "after it", "a clock that is off"],
)
def test_a_partition_whose_time_has_not_come_waits_whoever_delivers_it(lake, inbox, moment, newest):
    days = calendar(FILES).keys("2024-01-01", "2024-01-06")
    for day in days:
        drop(inbox, f"facts/{day}.csv")
    waits = ready(FILES, days, lake, inbox, moment)
    assert [day for day in days if not waits[day]] == [day for day in days if day <= newest]
    assert waits["2024-01-06"] == f"its time, {newest} is the newest yet"


def test_a_delivery_that_cannot_be_looked_at_keeps_nobody_else_waiting(lake, inbox, tmp_path):
    drop(tmp_path, "secret.csv")
    drop(inbox, f"facts/{NEXT}.csv")
    (inbox / "facts" / f"{DAY}.csv").symlink_to(tmp_path / "secret.csv")
    waits = ready(FILES, [DAY, NEXT], lake, inbox, NOW)
    assert (waits[DAY].startswith("a delivery that can be read: "), waits[NEXT]) == (True, "")

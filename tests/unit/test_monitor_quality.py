import math
from dataclasses import replace

import pytest
from tests.monitored import use_case
from tests.week import CHAMPION, DAY, DAYS, HOLDOUT, PROFILE, one, rows

from updraft.monitor.measures import quality
from updraft.monitor.supply import Supplied
from updraft.monitor.window import Window

SOURCE = {
    "type": "files", "path": "{partition}.csv", "key": ["id"], "event_time": "at", "known_at": {"delay": "1d"},
    "columns": {"id": {"type": "integer"}, "at": {"type": "timestamp"}}, "contract": {"tolerance": 0.02},
}  # fmt: skip
CASE = use_case(sources={"rows": SOURCE})
DAILY = Supplied("rows", DAYS[0], whole=True, rows=100, deliveries=1, lag_hours=-2.0)


def seen(*supply):
    frame = rows(n=2)
    return list(quality.measure(Window(CASE, DAY, CHAMPION, PROFILE, frame, frame, frame, {}, HOLDOUT, supply=supply)))


def week(**each):
    """A week of deliveries; what is given as a list differs from day to day."""
    return [
        replace(DAILY, partition=day, **{name: v[n] if isinstance(v, list) else v for name, v in each.items()})
        for n, day in enumerate(DAYS)
    ]


def test_a_clean_week_says_how_much_came_and_when():
    found = seen(*week(rows=[90, 110, 100, 100, 100, 100, 100]))
    assert {(m.metric, m.subject): (m.value, m.status) for m in found} == {
        ("quality_rows", "rows"): (100.0, "info"),
        ("quality_bad_share", "rows"): (0.0, "ok"),
        ("quality_late_share", "rows"): (0.0, "info"),
        ("quality_lag_hours", "rows"): (-2.0, "info"),
        ("quality_torn", "rows"): (0, "ok"),
    }
    count = one(found, "quality_rows")
    assert (count.n, round(count.low, 1), round(count.high, 1)) == (700, 95.8, 104.2)


@pytest.mark.parametrize(
    ("bad", "status"),
    [
        pytest.param([1, 2, 1, 2, 1, 2, 1], "ok", id="within the tolerance"),
        pytest.param([4, 5, 4, 5, 4, 5, 4], "drifted", id="beyond it every day"),
        pytest.param([40, 0, 0, 0, 0, 0, 0], "unknown", id="beyond it on one day"),
    ],
)
def test_bad_rows_are_held_against_the_tolerance_of_the_contract(bad, status):
    found = one(seen(*week(bad=bad)), "quality_bad_share")
    assert (found.status, found.limit, found.value) == (status, 0.02, sum(bad) / 700)


def test_late_rows_lag_and_broken_rules_are_reported():
    days = week(late=[100, 0, 0, 0, 0, 0, 0], lag_hours=[1.0, 2, 30, 1, 1, 1, math.nan])
    days[1] = replace(days[1], broken={"range of x": 3, "key": 1})
    days[2] = replace(days[2], broken={"range of x": 2})
    found = seen(*days)
    assert one(found, "quality_late_share").value == pytest.approx(1 / 7)
    assert (one(found, "quality_lag_hours").value, one(found, "quality_lag_hours").n) == (30, 6)
    breaches = {m.subject: m.value for m in found if m.metric == "quality_breaches"}
    assert breaches == {"rows: range of x": 5, "rows: key": 1}


def test_at_most_ten_rules_are_named():
    found = seen(replace(DAILY, broken={f"rule {n}": n for n in range(1, 15)}))
    assert sum(m.metric == "quality_breaches" for m in found) == 10


def test_a_partition_that_is_not_whole_is_named():
    found = one(seen(*week(whole=[True] * 6 + [False])), "quality_torn")
    assert (found.value, found.status, found.reason) == (1, "drifted", f"not all is published of {DAYS[6]}")


def test_a_source_without_a_record_or_a_row_is_unknown():
    none = seen(*week(rows=0, deliveries=0, lag_hours=math.nan))
    assert [(m.metric, m.status) for m in none] == [("quality_torn", "ok"), ("quality_rows", "unknown")]
    empty = one(seen(*week(rows=0)), "quality_bad_share")
    assert (empty.status, empty.reason) == ("unknown", "no row was delivered")


def test_nothing_is_said_where_nobody_asked():
    assert seen() == []

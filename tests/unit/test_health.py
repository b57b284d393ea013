import math
import re
from dataclasses import replace

import pytest

from updraft import health
from updraft.errors import PartitionInvalid
from updraft.health.charts import _reach, charts
from updraft.health.render import page
from updraft.ledger import Ledger
from updraft.life.health import report
from updraft.monitor.table import Measurement
from updraft.records import Record

DAYS = [f"2024-01-{day:02}" for day in range(1, 32)]
HOSTILE = "<script>alert(1)</script>"


def measured(day, metric="auc", value=0.7, status="ok", **other):
    return Measurement(day, metric, other.pop("subject", "all"), value, 100, status, **other)


def record(sequence, kind, day, why, **facts):
    return Record(sequence, "", kind, "", day, "somebody", why, "c" * 64, facts, "")


def test_a_report_of_a_partition_shows_four_weeks_before_it():
    found = health.span("2024-01-31", DAYS)
    assert (found.keys[0], found.keys[-1], len(found.keys)) == ("2024-01-04", "2024-01-31", 28)


def test_a_report_of_nothing_in_particular_is_that_of_the_newest_partition():
    assert health.span("", DAYS).title == "2024-01-31"


@pytest.mark.parametrize("asked", ["2024-02-01", "2024-02", "2023-12-31", "../etc", "2024-01-1"])
def test_what_was_not_monitored_is_refused_with_what_was(asked):
    with pytest.raises(PartitionInvalid) as refused:
        health.span(asked, DAYS)
    assert "2024-01-01 to 2024-01-31" in refused.value.next_step


def told(case, rows, records=()):
    return health.facts(case, health.Span("2024-01-03", tuple(DAYS[:3])), rows, records)


def test_alarms_are_told_once_with_how_often_and_since_when(parcels_case):
    values = zip(DAYS[:3], (0.3, 0.5, 0.4), strict=True)
    rows = [measured(day, "score_distance", value, "drifted", limit=0.2) for day, value in values]
    [alarming] = told(parcels_case, rows)["alarming"]
    assert (alarming["times"], alarming["since"], alarming["partition"]) == (3, "2024-01-01", "2024-01-03")
    assert (alarming["value"], alarming["limit"]) == (0.4, 0.2)


def test_what_moved_comes_first_and_an_undefined_number_is_none(parcels_case):
    rows = [measured(DAYS[2]), measured(DAYS[2], "feature_psi", float("nan"), "unknown"), measured(DAYS[1], "brier")]
    rows.append(measured(DAYS[2], "score_distance", 0.4, "drifted"))
    groups = told(parcels_case, rows)["groups"]
    assert [group["metric"] for group in groups] == ["score_distance", "feature_psi", "auc"]
    assert groups[1]["rows"][0]["value"] is None


def test_of_several_slices_the_worst_is_a_headline_by_its_name(parcels_case):
    rows = [
        measured(DAYS[2], "slice_auc", 0.6, status, subject=name) for name, status in (("a", "drifted"), ("b", "ok"))
    ]
    found = told(parcels_case, rows)
    assert [(one["subject"], one["status"]) for one in found["headlines"]] == [("a", "drifted")]
    assert "slice auc, a" in page(found, {}).decode()


def test_decisions_of_the_span_are_told_and_others_are_not(parcels_case):
    moved = "the scores moved in 3 of the last 5 partitions, further than chance moves them"
    records = [
        record(1, "incident", "2023-12-01", "long ago"),
        record(2, "incident", "2024-01-02", moved),
        record(3, "decided", "2024-01-02", moved, action="retrain"),
        record(4, "resolved", "2024-01-03", "calm", closes=[2]),
    ]
    found = told(parcels_case, [], records)
    assert [one["why"] for one in found["decisions"]] == [moved, "as record 2"]
    assert [one["why"] for one in found["lasting"]] == ["long ago"]


def test_what_came_after_the_span_is_not_told(parcels_case):
    records = [
        record(1, "promoted", "2023-12-01", "better"),
        record(2, "incident", "2024-01-02", "in the span"),
        replace(record(3, "promoted", "2024-01-09", "better"), model="d" * 64),
        record(4, "incident", "2024-01-10", "later"),
    ]
    found = told(parcels_case, [], records)
    assert found["champion"] == "c" * 64
    assert [one["why"] for one in found["lasting"]] == ["in the span"]


def test_history_that_was_scored_by_a_later_champion_is_told_with_it(parcels_case):
    records = [record(1, "promoted", "2024-01-09", "better"), record(2, "incident", "2024-01-02", "in the span")]
    found = told(parcels_case, [measured(DAYS[2], "scored", subject="c" * 64)], records)
    assert found["champion"] == "c" * 64
    assert [one["why"] for one in found["lasting"]] == ["in the span"]


def test_what_people_did_counts_unless_later_partitions_were_decided_upon_before(parcels_case):
    begun = [record(1, "promoted", DAYS[0], "better"), record(2, "incident", DAYS[1], "in the span")]
    closing = record(3, "resolved", None, "looked into", closes=[2])
    assert told(parcels_case, [], [*begun, closing])["lasting"] == []
    after = [*begun, record(3, "decided", DAYS[8], "calm", action="none"), replace(closing, sequence=4)]
    assert [one["why"] for one in told(parcels_case, [], after)["lasting"]] == ["in the span"]


def test_a_bound_of_hardly_any_data_does_not_press_the_rest_into_a_line():
    rows = [measured(day, low=0.6, high=0.8, limit=0.5) for day in DAYS]
    rows[0] = measured(DAYS[0], low=-40.0, high=40.0, limit=30.0)
    low, high = _reach(rows)
    assert -0.1 < low < 0.5
    assert 0.8 < high < 1.5
    assert _reach([measured(DAYS[0], value=9.0), *rows])[1] > 9, "a value never leaves it"
    alone = _reach([measured(DAYS[0], value=0.0)])
    assert alone[0] < 0 < alone[1]


def test_of_a_single_partition_bounds_and_limit_are_all_in_the_picture():
    low, high = _reach([measured(DAYS[0], value=0.79, low=0.78, high=0.8, limit=0.1)])
    assert low < 0.1
    assert high > 0.8
    assert all(map(math.isfinite, _reach([measured(DAYS[0], value=math.inf, high=math.inf)])))


def test_a_picture_is_drawn_of_what_was_measured_and_of_nothing_else():
    rows = [measured(day, low=0.6, high=0.8, limit=0.5) for day in DAYS]
    rows += [measured(DAYS[-1], "feature_psi", value, "ok", subject=name) for name, value in (("a", 0.1), ("b", 0.3))]
    rows += [measured(day, "value_per_row", float("nan"), "unknown") for day in DAYS]
    drawn = charts(rows)
    assert set(drawn) == {"How well the champion did, as its labels came true", "Features, by how far they moved"}
    assert all(png.startswith(b"\x89PNG") for png in drawn.values())
    assert charts([]) == {}
    assert drawn == charts(rows), "the same facts are the same bytes"


def test_what_strangers_wrote_is_text(parcels_case):
    rows = [measured(DAYS[2], "feature_psi", 0.4, "drifted", subject=HOSTILE, reason=HOSTILE)]
    shown = page(told(parcels_case, rows, [record(1, "incident", DAYS[0], HOSTILE)]), charts(rows)).decode()
    assert HOSTILE not in shown
    assert "&lt;script&gt;" in shown
    assert not re.search(r"(?:src|href)=\"(?!data:)", shown), "it fetches nothing"


@pytest.mark.slow
def test_a_report_is_what_lake_and_ledger_say(observed):
    newest = observed.lake.partitions("monitor/parcels")[-1]
    shown = report(observed.case, "", observed.lake).decode()
    assert f"parcels: {newest}" in shown
    assert Ledger(observed.lake, "parcels").state().champion[:12] in shown
    assert shown == report(observed.case, newest, observed.lake).decode()

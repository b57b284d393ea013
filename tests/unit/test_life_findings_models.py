"""What is told of a model, read from a real ledger: once, until it is over, whatever happens in between."""

from dataclasses import replace
from datetime import timedelta
from typing import get_args

import pytest
from tests.telling import FOUND, NOW, Receiver, kinds, measured, opened, record, told

from updraft.alert.alert import Finding
from updraft.alert.kinds import INCIDENTS
from updraft.life import monitor
from updraft.life.findings import models
from updraft.monitor.watch import AlarmKind as Alarming


def test_an_incident_is_told_once_while_it_lasts_and_once_when_it_is_over(case, lake):
    receiver = Receiver()
    for key in ("2024-01-20", "2024-01-21", "2024-01-22"):
        opened(lake, case, key=key)
        told(case, lake, receiver)
        told(case, lake, receiver)
    assert receiver.got == [("all", "opened", 1)]
    record(lake, case, "promoted", why="better by 0.02")
    over = told(case, lake, receiver)
    assert [one.what for one in over.resolved] == ["Over after 0 s: promoted in 2024-01-20: better by 0.02"]
    assert [event for _, event, _ in receiver.got] == ["opened", "opened", "resolved"], "the promotion is told too"


def test_what_the_controller_closes_is_over(case, lake):
    opened(lake, case)
    (incident,) = told(case, lake).opened
    record(
        lake, case, "decided", why="calm for 5 partitions", facts={"closes": [int(incident.about)], "action": "none"}
    )
    (over,) = told(case, lake).resolved
    assert over.what == "Over after 0 s: decided in 2024-01-20: calm for 5 partitions"


def test_an_incident_says_its_numbers_what_was_decided_and_shows_the_measurement(case, lake):
    rows = [
        (f"2024-01-{day}", "score_distance", "scores", day / 50, "drifted" if day > 18 else "ok")
        for day in range(10, 21)
    ]
    measured(lake, case, rows)
    opened(lake, case)
    record(lake, case, "decided", why="cooldown", facts={"action": "none"})
    (one,) = told(case, lake).opened
    assert (one.kind, one.severity, one.partition) == ("incident", "warning", "2024-01-20")
    assert dict(one.facts) == {"alarm": "prediction_drift", "model": "f" * 12, "decided": "none: cooldown"}
    assert (one.series.metric, one.series.subject, one.series.limit) == ("score_distance", "scores", 0.2)
    assert (one.series.values[-1], one.series.limits) == (("2024-01-20", 0.4), (0.2,) * 11)


@pytest.mark.parametrize("kind", [*get_args(Alarming), "broken_feed", "fallback"])
def test_the_title_of_an_incident_says_what_is_alarming(case, lake, kind):
    opened(lake, case, replace(FOUND, kind=kind))
    assert told(case, lake).opened[0].title == INCIDENTS[kind]


@pytest.mark.parametrize(
    ("action", "why", "said"),
    [
        pytest.param("retrain", FOUND.reason, "retrain", id="the incident's own words"),
        pytest.param("none", f"{FOUND.reason}; but cooldown of 14d", "none: cooldown of 14d", id="what held it back"),
        pytest.param("retrain", "no champion yet", "retrain: no champion yet", id="for another reason"),
    ],
)
def test_what_was_decided_is_told_without_saying_the_incident_again(case, lake, action, why, said):
    opened(lake, case)
    record(lake, case, "decided", why=why, facts={"action": action})
    assert dict(told(case, lake).opened[0].facts)["decided"] == said


def test_what_is_over_says_what_it_was_and_no_step_to_take(case, lake):
    missing = Finding("delivery_missing", "facts/2024-01-05", "nothing has come. Next: ask.", "2024-01-05")
    told(case, lake, also=[missing])
    lake.create("published/tiny/facts/2024-01-05", b"{}\n")
    (over,) = told(case, lake, now=NOW + timedelta(minutes=1709)).resolved
    assert over.what == "Over after 28 h 29 min: it was: nothing has come."


def test_lost_performance_is_critical(case, lake):
    opened(lake, case, replace(FOUND, kind="performance"))
    assert told(case, lake).opened[0].severity == "critical"


def test_a_feed_that_lost_values_is_a_data_incident_until_it_was_whole_for_a_while(case, lake):
    calm = [(f"2024-01-{day}", "missing_psi", "amount", 0.0, "ok") for day in range(10, 20)]
    measured(lake, case, [*calm, ("2024-01-20", "missing_psi", "amount", 3.0, "drifted")])
    (one,) = told(case, lake).opened
    assert (one.kind, one.severity, one.partition) == ("data_incident", "critical", "2024-01-20")
    assert "amount" in one.what
    days = range(21, 21 + case.monitor.of)
    for day in days:
        assert told(case, lake).resolved == ()
        measured(lake, case, [(f"2024-01-{day}", "missing_psi", "amount", 0.0, "ok")])
    assert kinds(told(case, lake).resolved) == ["data_incident"]


@pytest.mark.slow
def test_an_incident_of_a_real_drift_is_told(drifting):
    found = monitor.watch_partitions(drifting.case, ["2024-01-24"], drifting.lake).incident
    assert found is not None
    opened(drifting.lake, drifting.case, found, "2024-01-24")
    incident = next(one for one in told(drifting.case, drifting.lake).opened if one.kind == "incident")
    assert incident.series is not None
    assert len(incident.series.values) >= 5


@pytest.mark.parametrize(
    ("kind", "alert"),
    [
        ("refused", "training_refused"),
        ("rejected", "candidate_rejected"),
        ("promoted", "champion_promoted"),
        ("rolled_back", "rolled_back"),
        ("repaired", "registry_out_of_step"),
    ],
)
def test_a_decision_is_told_once(case, lake, kind, alert):
    record(lake, case, kind, why="the reason")
    receiver = Receiver()
    first = told(case, lake, receiver)
    assert [(one.kind, one.what) for one in first.opened] == [(alert, "the reason")]
    assert told(case, lake, receiver).opened == ()
    assert len(receiver.got) == 1
    assert told(case, lake).resolved == (), "it happened, and does not last"


def test_a_training_run_twice_is_refused_once(case, lake):
    for _ in range(2):
        record(lake, case, "refused", why="too few rows")
    record(lake, case, "refused", why="too few rows", partition="2024-01-21")
    assert kinds(told(case, lake).opened) == ["training_refused"] * 2


def test_what_was_decided_long_ago_is_no_news(case, lake):
    record(lake, case, "promoted")
    assert told(case, lake, now=NOW + models.FRESH + timedelta(hours=1)).opened == ()


def test_a_broken_ledger_is_told_and_hides_nothing_that_was_open(case, lake):
    opened(lake, case)
    told(case, lake)
    key = "ledger/tiny/00000001.json"
    whole = lake.get(key)
    lake.put(key, whole.replace(b"prediction_drift", b"prediction_calm!"))
    seen = told(case, lake)
    assert (kinds(seen.opened), seen.resolved) == (["ledger_broken"], ())
    assert "Record 1 of the ledger was changed" in seen.opened[0].what
    lake.put(key, whole)
    assert kinds(told(case, lake).resolved) == ["ledger_broken"]

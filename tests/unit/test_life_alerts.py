"""What people are told, read from a real ledger and lake: once, until it is over, whatever happens in between."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
from tests import parcels
from tests.unit.test_alert_outbox import Receiver

from updraft import features, ingest, score
from updraft.alert.alert import Finding
from updraft.alert.kinds import INCIDENTS
from updraft.errors import AlertUndelivered, DeliveryBlocked, DeliveryMissing, DeliveryRefused, TrainingRefused
from updraft.ledger import Ledger
from updraft.life import alerts, monitor
from updraft.life.findings import data, models
from updraft.life.findings.failures import Failure, failure
from updraft.monitor.incident import Incident
from updraft.monitor.table import Measurement, to_arrow
from updraft.monitor.watch import AlarmKind as Alarming
from updraft.spec.alerts import AlertKind, Deadlines, Destination

EVERYTHING = {"all": Destination(to="slack", connection="all", on=AlertKind.__args__)}
NOW = datetime.now(UTC)  # records carry the clock's time, and old ones are no news
FOUND = Incident("prediction_drift", "f" * 64, "2024-01-20", True, "prediction_drift in 3 of the last 5 partitions")


def told(case, lake, receiver=None, **how):
    case = case.model_copy(update={"alerts": EVERYTHING})
    how = {"now": NOW, "runbooks": "docs/runbooks", **how}
    return alerts.tell(case, lake, receiver or Receiver(), **how)


def kinds(some):
    return [one.kind for one in some]


def record(lake, case, kind, **more):
    needs = {"model": "e" * 64, "partition": "2024-01-20", **more}
    return Ledger(lake, case.name).append(kind, why=needs.pop("why", "so"), who="test", **needs)


def opened(lake, case, found=FOUND, key="2024-01-20"):
    return monitor.open_incident(case, found, key, lake, who="test")


def measured(lake, case, rows):
    """Write rows of the monitor's table: (partition, metric, subject, value, status)."""
    for key in sorted({row[0] for row in rows}):
        own = [Measurement(p, m, s, v, 100, st, "because", limit=0.2) for p, m, s, v, st in rows if p == key]
        lake.replace(f"monitor/{case.name}", to_arrow(own), [key])


# ---- incidents ---------------------------------------------------------------------------------------------------


def test_of_nothing_there_is_nothing_to_tell(case, lake):
    assert told(case, lake).summary() == {"opened": [], "resolved": [], "sent": 0, "waiting": 0}


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


# ---- decisions ---------------------------------------------------------------------------------------------------


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


# ---- data --------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_blocked_delivery_is_told_until_somebody_decides(parcels_case, lake, tmp_path):
    inbox = tmp_path / "inbox"
    parcels.drop(parcels_case, inbox, ["2024-01-02"])
    file = inbox / parcels_case.sources["parcels"].path.replace("{partition}", "2024-01-02")
    file.write_text(file.read_text().splitlines()[0] + "\n")  # not a row
    with pytest.raises(DeliveryBlocked):
        ingest.stage(parcels_case, "parcels", ["2024-01-02"], lake, inbox)
    (one,) = told(parcels_case, lake).opened
    assert (one.kind, one.partition) == ("delivery_blocked", "2024-01-02")
    assert dict(one.facts)["source"] == "parcels"
    assert told(parcels_case, lake).opened == ()
    parcels.drop(parcels_case, inbox, ["2024-01-02"])
    ingest.stage(parcels_case, "parcels", ["2024-01-02"], lake, inbox)
    assert kinds(told(parcels_case, lake).resolved) == ["delivery_blocked"]


@pytest.mark.slow
def test_rows_held_within_tolerance_are_told_to_who_asked(ingested, parcels_case):
    assert kinds(told(parcels_case, ingested).opened) == ["rows_held"]


@pytest.mark.slow
def test_an_old_partition_is_looked_at_when_its_run_says_so(ingested, parcels_case, monkeypatch):
    monkeypatch.setattr(data, "NEWEST", 1)
    assert told(parcels_case, ingested).opened == ()
    assert kinds(told(parcels_case, ingested, partitions=["2024-01-01"]).opened) == ["rows_held"]
    assert told(parcels_case, ingested).resolved == ()


def test_a_delivery_that_was_missing_is_over_once_it_is_published(case, lake):
    missing = Finding("delivery_missing", "facts/2024-01-05", "nothing has come", "2024-01-05")
    assert kinds(told(case, lake, also=[missing]).opened) == ["delivery_missing"]
    assert told(case, lake).resolved == ()
    lake.create("published/tiny/facts/2024-01-05", b"{}\n")
    assert kinds(told(case, lake).resolved) == ["delivery_missing"]


# ---- deadlines ---------------------------------------------------------------------------------------------------

SCORED_TO = "2024-01-18"  # of the observed world; its features reach further


def due(world, moment, **deadlines):
    case = world.case.model_copy(update={"deadlines": Deadlines(**deadlines)})
    return [(one.kind, one.partition) for one in data.late(case, world.lake, datetime.fromisoformat(moment))]


@pytest.mark.slow
def test_scores_are_late_when_their_partition_begins_and_they_are_not_there(observed):
    dates = observed.case.problem.lead_time
    start = datetime(2024, 1, 19, tzinfo=UTC)
    assert dates > timedelta(0)
    assert due(observed, (start - timedelta(minutes=1)).isoformat()) == []
    assert due(observed, start.isoformat()) == [("scores_late", "2024-01-19")]
    (later,) = data.late(observed.case, observed.lake, start + timedelta(days=1))
    said = "The scores of 2024-01-19, 2024-01-20 are not there, 24 h after the first of them were due."
    assert later.what == said, "one alert, however many partitions"


@pytest.mark.slow
def test_a_deadline_in_the_spec_counts_from_the_partition_s_moment(observed):
    as_of = datetime(2024, 1, 19, tzinfo=UTC) - observed.case.problem.lead_time
    for minutes, late in ((59, []), (60, [("scores_late", "2024-01-19")])):
        assert due(observed, (as_of + timedelta(minutes=minutes)).isoformat(), scores=timedelta(hours=1)) == late


@pytest.mark.slow
def test_features_are_late_only_where_the_spec_says_so(observed):
    last = max(observed.lake.partitions(features.table(observed.case)))
    after = datetime.fromisoformat(last).replace(tzinfo=UTC) + timedelta(days=1)
    assert ("features_late", after.date().isoformat()) not in due(observed, after.isoformat())
    told_of = due(observed, after.isoformat(), features=timedelta(hours=1))
    assert ("features_late", after.date().isoformat()) in told_of


@pytest.mark.slow
def test_a_history_that_has_an_end_is_never_late(observed):
    ended = observed.case.partitions.model_copy(update={"last": "2024-02-11"})
    case = observed.case.model_copy(update={"partitions": ended})
    assert list(data.late(case, observed.lake, datetime(2024, 3, 1, tzinfo=UTC))) == []


def test_a_stage_that_has_not_begun_is_not_late(case, lake):
    assert list(data.late(case, lake, NOW)) == []


@pytest.mark.slow
def test_late_scores_are_told_once_and_are_over_when_they_are_there(observed):
    start, receiver = datetime(2024, 1, 19, tzinfo=UTC), Receiver()
    features.build(observed.case, ["2024-01-19"], observed.lake)
    for hours in range(3):
        told(observed.case, observed.lake, receiver, now=start + timedelta(hours=hours))
    assert receiver.got == [("all", "opened", 1)]
    champion = score.pin(observed.case, observed.lake)
    score.partitions(observed.case, ["2024-01-19"], observed.lake, champion=champion)
    over = told(observed.case, observed.lake, receiver, now=start + timedelta(hours=4))
    assert [(one.kind, one.partition) for one in over.resolved] == [("scores_late", "2024-01-19")]


@pytest.mark.slow
def test_what_stays_late_for_longer_than_one_looks_back_is_not_over(observed):
    start = datetime(2024, 1, 19, tzinfo=UTC)
    told(observed.case, observed.lake, now=start)
    assert told(observed.case, observed.lake, now=start + timedelta(days=40)).resolved == ()


# ---- failures ----------------------------------------------------------------------------------------------------

SOME = Failure("tiny__ingest", "facts.publish", "run", NOW.date(), ["2024-01-05"], "facts", None, log="http://x/log")


def wrapped(own):
    error = RuntimeError(f"{type(own).__name__}: {own}")
    error.__cause__ = own
    return error


@pytest.mark.parametrize(
    ("error", "waited", "kind"),
    [
        pytest.param(wrapped(DeliveryRefused("unreadable", next_step="ask")), False, "delivery_blocked", id="refused"),
        pytest.param(wrapped(DeliveryMissing("gone", next_step="wait")), False, "delivery_missing", id="missing"),
        pytest.param(TimeoutError("12 hours"), True, "delivery_missing", id="a sensor that gave up"),
        pytest.param(ZeroDivisionError("x"), False, "task_failed", id="something else"),
        pytest.param(None, False, "task_failed", id="killed"),
        pytest.param(wrapped(DeliveryBlocked("bad rows", next_step="look")), False, None, id="the lake says it"),
        pytest.param(wrapped(TrainingRefused("too few", next_step="wait")), False, None, id="the ledger says it"),
    ],
)
def test_a_failed_task_is_told_as_what_it_means(error, waited, kind):
    found = failure(replace(SOME, error=error, waited=waited))
    assert (found and found.kind) == kind


def test_what_fails_again_and_for_many_partitions_is_one_alert_a_day():
    many = [
        replace(SOME, error=OSError("x"), run=run, partitions=keys) for run in "ab" for keys in (["2024-01-06"], [])
    ]
    assert len({failure(one).identity for one in many}) == 1
    tomorrow = replace(many[0], day=many[0].day + timedelta(days=1))
    other = [tomorrow, replace(many[0], task="other"), replace(many[0], error=KeyError("x"))]
    assert len({failure(one).identity for one in (many[0], *other)}) == 4


def test_the_words_of_an_error_that_is_not_ours_are_not_told():
    error = ConnectionError("postgres://me:canary-secret@db/x refused")
    assert "facts.publish was killed, or ended without a word" in failure(replace(SOME, error=None)).what
    found = failure(replace(SOME, error=error))
    assert "canary-secret" not in json.dumps([found.what, found.facts])
    assert found.what == "tiny__ingest.facts.publish failed with ConnectionError. Its log says more."
    ours = failure(replace(SOME, error=wrapped(DeliveryRefused("The file is cut.", next_step="ask for it again."))))
    assert ours.what == "The file is cut. Next: ask for it again."


def test_what_was_found_is_kept_even_if_the_rest_cannot_be_read(case, lake):
    record(lake, case, "promoted")
    lake.put("ledger/tiny/00000001.json", b"{}")
    seen = told(case, lake, also=[failure(replace(SOME, error=OSError("x")))])
    assert kinds(seen.opened) == ["task_failed", "ledger_broken"]


def test_what_is_not_delivered_is_reported_and_sent_by_the_next_call(case, lake):
    opened(lake, case)
    receiver = Receiver("all")
    seen = told(case, lake, receiver)
    assert (seen.sent, [type(fault) for fault in seen.failed]) == (0, [AlertUndelivered])
    receiver.deaf.clear()
    assert told(case, lake, receiver).sent == 1

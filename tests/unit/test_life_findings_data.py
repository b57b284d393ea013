"""What is told of data, read from a real lake: deliveries that are held or missing, and what is late."""

from datetime import UTC, datetime, timedelta

import pytest
from tests import parcels
from tests.telling import NOW, Receiver, kinds, told

from updraft import features, ingest, score
from updraft.alert.alert import Finding
from updraft.errors import DeliveryBlocked
from updraft.life.findings import data
from updraft.spec.alerts import Deadlines


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

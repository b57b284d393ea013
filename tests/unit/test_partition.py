from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updraft.errors import PartitionInvalid
from updraft.partition import CRONS, KEY_FORMATS, Calendar, calendar

NEW_YORK = ZoneInfo("America/New_York")
FIRST = {"hour": "2000-01-01T00", "day": "2000-01-01", "week": "2000-W01"}
ZONES = [
    "UTC",
    "America/New_York",
    "Europe/Berlin",
    "Asia/Kolkata",
    "Australia/Lord_Howe",  # clocks move by half an hour
    "America/Sao_Paulo",  # until 2018, midnight was skipped once a year
    "America/Havana",  # midnight comes twice
    "America/St_Johns",  # until 2011, clocks went back over midnight
    "Pacific/Apia",  # 30 December 2011 never was
]


def at(text: str, zone: ZoneInfo | None = None) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone or UTC)


def dates(
    every: str = "day", zone: str = "UTC", *, lead: str | int = 0, maturity: int = 0, first: str | None = None
) -> Calendar:
    hours = timedelta(hours=int(lead)), timedelta(hours=maturity)
    return Calendar(every, ZoneInfo(zone), hours[0], first or FIRST[every], hours[1])


@pytest.mark.parametrize(
    ("every", "zone", "key", "start", "hours"),
    [
        pytest.param("day", "UTC", "2013-04-01", "2013-04-01T00:00", 24, id="an ordinary day"),
        pytest.param("day", "America/New_York", "2013-04-01", "2013-04-01T04:00", 24, id="in a zone"),
        pytest.param("day", "America/New_York", "2013-03-10", "2013-03-10T05:00", 23, id="clocks go forward"),
        pytest.param("day", "America/New_York", "2013-11-03", "2013-11-03T04:00", 25, id="clocks go back"),
        pytest.param("day", "Australia/Lord_Howe", "2013-04-07", "2013-04-06T13:00", 24.5, id="back by half an hour"),
        pytest.param("day", "America/Sao_Paulo", "2017-10-15", "2017-10-15T03:00", 23, id="midnight is skipped"),
        pytest.param("day", "America/Havana", "2013-11-03", "2013-11-03T04:00", 25, id="midnight comes twice"),
        pytest.param("day", "Pacific/Apia", "2011-12-30", "2011-12-30T10:00", 0, id="a day that never was"),
        pytest.param("day", "UTC", "2012-02-29", "2012-02-29T00:00", 24, id="leap day"),
        pytest.param("week", "UTC", "2013-W01", "2012-12-31T00:00", 168, id="a week begun in the old year"),
        pytest.param("week", "UTC", "2020-W53", "2020-12-28T00:00", 168, id="a year of 53 weeks"),
        pytest.param("week", "America/New_York", "2013-W44", "2013-10-28T04:00", 169, id="a week of 169 hours"),
        pytest.param("week", "America/New_York", "2013-W10", "2013-03-04T05:00", 167, id="a week of 167 hours"),
        pytest.param(
            "hour", "America/New_York", "2013-11-03T05", "2013-11-03T05:00", 1, id="1 a.m. for the first time"
        ),
        pytest.param("hour", "America/New_York", "2013-11-03T06", "2013-11-03T06:00", 1, id="1 a.m. for the second"),
    ],
)
def test_a_key_names_one_interval(every, zone, key, start, hours):
    found = dates(every, zone).at(key)
    assert (found.key, found.start) == (key, at(start))
    assert found.end - found.start == timedelta(hours=hours)


@pytest.mark.parametrize(
    ("every", "key"),
    [
        *[("day", key) for key in ("2013-02-29", "2013-4-1", "20130401", "2013-W14-1", "2013-04-01T00", "", "today")],
        *[
            ("hour", key)
            for key in ("2013-04-01", "2013-04-01T24", "2013-04-01T5", "2013-04-01T05:00", "2013-04-01 05")
        ],
        *[("week", key) for key in ("2013-W53", "2013-W00", "2013-W1", "2013-14", "2013-W14-1", "2013-04-01")],
        *[("day", key) for key in ("0001-01-01", "2013-04-01\n", "\uff12013-04-01", "'; DROP TABLE", "../2013-04-01")],
        *[("day", key) for key in (None, 5, b"2013-04-01")],
    ],
)
def test_what_is_no_key_of_the_calendar_is_refused_with_an_example(every, key):
    with pytest.raises(PartitionInvalid, match=r"write it like 2013|before the first"):
        dates(every).at(key)


def test_a_hostile_key_is_shown_bounded():
    with pytest.raises(PartitionInvalid) as caught:
        dates().at("9" * 100_000)
    assert len(str(caught.value)) < 200


def test_there_is_nothing_before_the_first_partition():
    calendar_ = dates(first="2013-01-01")
    assert calendar_.at("2013-01-01") == calendar_.first
    with pytest.raises(PartitionInvalid, match=r"before the first one, '2013-01-01'.*partitions.first"):
        calendar_.at("2012-12-31")


@pytest.mark.parametrize(
    ("every", "zone", "moment", "key"),
    [
        ("day", "America/New_York", at("2013-04-01T03:59"), "2013-03-31"),
        ("day", "America/New_York", at("2013-04-01T04:00"), "2013-04-01"),
        ("day", "UTC", at("2013-04-01T23:00", NEW_YORK), "2013-04-02"),
        ("week", "UTC", at("2012-12-31T00:00"), "2013-W01"),
        ("week", "UTC", at("2012-12-30T23:59"), "2012-W52"),
        ("week", "UTC", at("2021-01-03T12:00"), "2020-W53"),
        ("hour", "America/New_York", at("2013-11-03T01:30", NEW_YORK), "2013-11-03T05"),
        ("hour", "America/New_York", at("2013-11-03T01:30", NEW_YORK).replace(fold=1), "2013-11-03T06"),
        ("hour", "Asia/Kolkata", at("2013-04-01T05:45", ZoneInfo("Asia/Kolkata")), "2013-04-01T00"),
        ("day", "America/St_Johns", at("2010-11-07T02:30"), "2010-11-07"),  # clocks went back from 00:01 to 23:01
    ],
)
def test_a_moment_lies_in_one_partition(every, zone, moment, key):
    assert dates(every, zone).containing(moment).key == key


@pytest.mark.parametrize(
    ("every", "first", "last", "keys"),
    [
        ("day", "2012-02-28", "2012-03-01", ["2012-02-28", "2012-02-29", "2012-03-01"]),
        ("week", "2020-W52", "2021-W01", ["2020-W52", "2020-W53", "2021-W01"]),
        ("hour", "2012-12-31T23", "2013-01-01T00", ["2012-12-31T23", "2013-01-01T00"]),
        ("day", "2013-04-01", "2013-04-01", ["2013-04-01"]),
    ],
)
def test_keys_are_listed_with_both_ends(every, first, last, keys):
    assert dates(every).keys(first, last) == keys


def test_no_day_is_left_out_when_a_zone_skips_one():
    keys = dates("day", "Pacific/Apia").keys("2011-12-28", "2012-01-02")
    assert keys == ["2011-12-28", "2011-12-29", "2011-12-30", "2011-12-31", "2012-01-01", "2012-01-02"]


def test_keys_the_wrong_way_round_are_refused():
    with pytest.raises(PartitionInvalid, match="2013-04-01 comes before 2013-04-02"):
        dates().keys("2013-04-02", "2013-04-01")


@pytest.mark.parametrize(
    ("lead", "as_of"), [(0, "2013-03-10T05:00"), (6, "2013-03-09T23:00"), (-6, "2013-03-10T11:00")]
)
def test_a_partition_is_computed_its_lead_time_before_it_starts(lead, as_of):
    assert dates("day", "America/New_York", lead=lead).at("2013-03-10").as_of == at(as_of)


@pytest.mark.parametrize(
    ("maturity", "moment", "key"),
    [
        pytest.param(0, "2024-01-01T23:59", None, id="the first is not over"),
        pytest.param(0, "2024-01-02T00:00", "2024-01-01", id="over and mature at once"),
        pytest.param(24, "2024-01-02T23:59", None, id="over but not mature"),
        pytest.param(24, "2024-01-03T00:00", "2024-01-01", id="mature to the minute"),
        pytest.param(24, "2024-01-10T12:00", "2024-01-08", id="some time later"),
        pytest.param(24, "2023-06-01T00:00", None, id="before there was anything"),
    ],
)
def test_the_last_mature_partition_is_the_newest_whose_labels_are_complete(maturity, moment, key):
    found = dates(first="2024-01-01", maturity=maturity).last_mature(at(moment))
    assert (None if found is None else found.key) == key


def test_a_delivery_opens_where_the_one_before_was_computed():
    calendar_ = dates("day", "America/New_York", lead=6)
    assert calendar_.opens_at(calendar_.at("2013-04-02")) == calendar_.at("2013-04-01").as_of


def test_a_use_case_has_the_calendar_its_spec_declares(make_case):
    case = make_case(partitions={"timezone": "America/New_York", "first": "2013-01-01"})
    assert calendar(case) == Calendar(
        "day", ZoneInfo("America/New_York"), timedelta(hours=6), "2013-01-01", timedelta(days=1)
    )


def test_every_length_of_partition_has_a_key_and_a_cron():
    assert set(KEY_FORMATS) == set(CRONS) == set(FIRST)


calendars = st.builds(
    dates,
    st.sampled_from(["hour", "day", "week"]),
    st.sampled_from(ZONES),
    lead=st.integers(-48, 400),
    maturity=st.integers(0, 200),
)
moments = st.datetimes(datetime(2005, 1, 1), datetime(2030, 1, 1)).map(lambda naive: naive.replace(tzinfo=UTC))
changes = st.sampled_from(["2011-12-30T10:00", "2010-11-07T02:31", "2013-11-03T05:00", "2017-10-15T03:00"])
near_changes = st.builds(lambda change, by: at(change) + timedelta(minutes=by), changes, st.integers(-3000, 3000))
any_moment = moments | near_changes


@given(calendars, any_moment)
def test_the_partition_of_a_moment_holds_it(calendar_, moment):
    found = calendar_.containing(moment)
    assert found.start <= moment < found.end


@given(calendars, any_moment)
def test_a_key_leads_back_to_its_partition(calendar_, moment):
    found = calendar_.containing(moment)
    assert calendar_.at(found.key) == found


@given(calendars, any_moment, st.integers(-500, 500))
def test_a_step_back_undoes_a_step(calendar_, moment, count):
    found = calendar_.containing(moment)
    assert calendar_.step(calendar_.step(found, count), -count) == found


@given(calendars, any_moment)
def test_each_partition_begins_where_the_one_before_ended_and_their_keys_are_in_order(calendar_, moment):
    found = calendar_.containing(moment)
    after = calendar_.step(found, 1)
    assert after.start == found.end
    assert after.key > found.key


@given(calendars, any_moment)
def test_the_last_visible_delivery_is_the_newest_that_can_hold_what_was_known(calendar_, moment):
    last = calendar_.last_visible(moment)
    assert calendar_.opens_at(last) < moment, "it can hold something known by then"
    assert calendar_.opens_at(calendar_.step(last, 1)) >= moment, "the next brings only what became known later"


@given(calendars, any_moment)
def test_the_last_mature_partition_is_mature_and_the_next_is_not(calendar_, moment):
    last = calendar_.last_mature(moment)
    assert last is not None
    assert calendar_.matures_at(last) <= moment < calendar_.matures_at(calendar_.step(last, 1))

"""A message of S3 names partitions that the spec knows, or it is dropped with a reason of our own making."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.arriving import CASE, DAY, NEXT, case_of, keys, message, record

from updraft.arrivals.arrival import Arrival, quoted, shown
from updraft.arrivals.message import said
from updraft.partition import calendar
from updraft.sources.reach import names


@pytest.mark.parametrize(
    ("path", "every", "key", "partitions"),
    [
        pytest.param("facts/{partition}.csv", "day", "facts/2024-01-02.csv", ["2024-01-02"], id="a day"),
        pytest.param("facts/{partition}.csv", "day", "facts/2024-01-02.csv.gz", ["2024-01-02"], id="packed"),
        pytest.param("{partition}/*.csv", "hour", "2024-01-02T05/a b+c.csv", ["2024-01-02T05"], id="an hour, odd name"),
        pytest.param("f/{partition}/**/*.csv", "week", "f/2024-W05/a/b/c.csv", ["2024-W05"], id="a week, folders"),
        pytest.param("{partition}/*.csv", "day", "2024-01-02/2024-01-03.csv", ["2024-01-02"], id="two dates, one fits"),
        pytest.param("{partition}/*.csv", "day", "2024-01-02/_SUCCESS", ["2024-01-02"], id="the marker beside it"),
        pytest.param("f/{partition}.csv", "day", "f/12024-01-02.csv", [], id="digits before"),
        pytest.param("f/{partition}.csv", "day", "f/2024-02-30.csv", [], id="no day"),
        pytest.param("f/{partition}.csv", "day", "f/2023-12-31.csv", [], id="before the first"),
        pytest.param("f/{partition}.csv", "day", "f/2024-01-02.csv.tmp", [], id="unfinished"),
        pytest.param("f/{partition}.csv", "day", "f/2024-01-02.csv\n", [], id="a line's end"),
        pytest.param("f/{partition}.csv", "day", "../f/2024-01-02.csv", [], id="a way out"),
        pytest.param("f/{partition}.csv", "day", "/f/2024-01-02.csv", [], id="an absolute path"),
        pytest.param("f/{partition}.csv", "day", "f/../f/2024-01-02.csv", [], id="a detour"),
        pytest.param("f/{partition}.csv", "day", "f/{partition}.csv", [], id="the template itself"),
        pytest.param("f/{partition}.csv", "day", "f/{{ ds }}.csv", [], id="a template of Airflow"),
        pytest.param("f/{partition}.csv", "day", "f/\uff12\uff10\uff12\uff14-01-02.csv", [], id="other digits"),
        pytest.param("f/{partition}.csv", "day", "f/2024-01-02.csv'; DROP TABLE x; --", [], id="SQL"),
        pytest.param("f/**/{partition}.csv", "day", "f/" + "a/" * 500 + "2024-01-02.csv", [], id="very deep"),
        pytest.param("f/*{partition}.csv", "day", "f/" + "2024-01-02" * 200 + ".csv", [], id="too long"),
    ],
)
def test_a_key_names_a_partition_only_as_the_spec_s_path_says(path, every, key, partitions):
    assert keys(said(message(record(key)), case_of(path, every=every), "facts")) == partitions


@pytest.mark.parametrize(
    ("body", "why"),
    [
        pytest.param("", "not a notification of S3: the message: json_invalid", id="nothing"),
        pytest.param("{", "not a notification of S3: the message: json_invalid", id="cut off"),
        pytest.param("[" * 100_000, "not a notification of S3: the message: json_invalid", id="a deep one"),
        pytest.param("\ud800", "not a notification of S3: the message: json_invalid", id="no text"),
        pytest.param("[]", "not a notification of S3: the message: model_type", id="a list"),
        pytest.param(
            '{"Event": "s3:TestEvent"}', "not a notification of S3: Records: missing", id="a test of the queue"
        ),
        pytest.param('{"Records": []}', "not a notification of S3: Records: too_short", id="no record"),
        pytest.param(message(*[record()] * 101), "not a notification of S3: Records: too_long", id="a flood"),
        pytest.param(message({**record(), "eventName": 7}), "Records.0.eventName: string_type", id="another type"),
        pytest.param(message(record("k" * 4000)), "Records.0.s3.object.key: string_too_long", id="a long key"),
        pytest.param("x" * (2 * 1024 * 1024), "a message of 2097152 characters", id="too large"),
        pytest.param(message(record(event="ObjectRemoved:Delete")), "is no creation of an object", id="a removal"),
        pytest.param(message(record(bucket="other")), "'other' is not the bucket of facts", id="another bucket"),
        pytest.param(message(record()).replace("facts%2F", "%FF"), "is no key of an object", id="no UTF-8"),
        pytest.param(
            message(record("x\x1b[2J\nERROR " + "x" * 999)), r"'x\x1b[2J\nERROR xxx", id="writes into the log"
        ),
    ],
)
def test_what_names_no_delivery_is_dropped_with_a_reason_that_is_short_and_of_our_making(body, why):
    heard = said(body, CASE, "facts")
    assert heard.arrivals == ()
    assert [why in reason for reason in heard.dropped] == [True]
    assert len(heard.dropped[0]) < 200
    assert heard.dropped[0].isprintable()


def test_one_bad_record_does_not_take_the_others_with_it_and_a_doubled_one_counts_once():
    heard = said(message(record(), record("../x"), record(), record(f"facts/{NEXT}.csv")), CASE, "facts")
    assert heard.arrivals == (Arrival("tiny", "facts", DAY), Arrival("tiny", "facts", NEXT))
    assert heard.dropped == ("'../x' is no delivery of facts",)


@pytest.mark.slow
@given(st.text(max_size=200), st.sampled_from(["day", "hour", "week"]))
def test_whatever_the_key_a_partition_is_of_the_calendar_and_its_own_path_fits_the_key(junk, every):
    case = case_of("f/**/*{partition}*", every=every)
    example = {"day": DAY, "hour": f"{DAY}T05", "week": "2024-W07"}[every]
    dates = calendar(case)
    for key in (junk, f"f/{junk}{example}", f"f/{example}/{junk}", f"f/{example[:4]}{junk}{example[4:]}"):
        for partition in keys(said(message(record(key)), case, "facts")):
            assert dates.at(partition).key == partition
            assert partition in key
            assert any(names.fits(key, each) for each in names.patterns(case.sources["facts"], partition))


@given(st.recursive(st.none() | st.booleans() | st.text(max_size=9) | st.integers(), st.lists) | st.binary(max_size=99))
def test_no_message_is_an_error(junk):
    body = junk.decode("latin-1") if isinstance(junk, bytes) else json.dumps({"Records": junk})
    heard = said(body, CASE, "facts")
    assert (heard.arrivals, len(heard.dropped)) == ((), 1)


def test_a_stranger_s_words_are_shown_short_and_ten_at_most():
    assert quoted("a\n" + "b" * 99) == r"'a\n" + "b" * 58 + "…'"
    assert shown([str(number) for number in range(12)]) == "12: 0; 1; 2; 3; 4; 5; 6; 7; 8; 9; …"

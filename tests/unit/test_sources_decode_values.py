"""A value is read as its declared type, exactly, or its row is a bad one."""

from datetime import UTC, datetime

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.decoding import COLUMNS, source

from updraft.sources.decode import decode


def single(type, **declared):  # noqa: A002
    """A source whose column `v` is looked at."""
    return source(columns={**COLUMNS, "v": {"type": type, "nullable": True, **declared}})


def value(text, declared):
    """What a field reads as, or why it cannot be read."""
    row = f'1,2013-04-01T12:00:00Z,,,,"{text}"' if text is not None else "1,2013-04-01T12:00:00Z,,,,"
    found = decode(f"id,at,x,ok,s,v\n{row}\n".encode(), declared)
    return found.bad[1] if found.bad else found.rows["v"].to_pylist()[0]


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("7", 7), ("-7", -7), ("007", 7), ("5.0", 5), ("-0", 0), ("0", 0),
        ("9223372036854775807", 2**63 - 1), ("-9223372036854775808", -(2**63)), ("000000000000000000000012", 12),
    ],
)  # fmt: skip
def test_an_integer_is_read(text, read):
    assert value(text, single("integer")) == read


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("9223372036854775808", "exceeds 64 bits"), ("-9223372036854775809", "exceeds 64 bits"),
        ("1" * 400, "exceeds 64 bits"), ("5.5", "is not an integer"), ("1e3", "is not an integer"),
        ("0x1F", "is not an integer"), (" 5", "is not an integer"), ("NA", "is not an integer"),
        ("1_000", "is not an integer"), ("٣", "is not an integer"), ("-", "is not an integer"),
    ],
)  # fmt: skip
def test_what_is_no_integer_is_a_bad_row(text, why):
    assert value(text, single("integer")) == f"v: {text[:40]!r} {why}"


@pytest.mark.parametrize(
    ("text", "read"), [("1.5", 1.5), (".5", 0.5), ("5.", 5.0), ("-1e3", -1000.0), ("1e308", 1e308), ("-0", -0.0)]
)
def test_a_number_is_read(text, read):
    assert value(text, single("number")) == read


@pytest.mark.parametrize("text", ["nan", "inf", "-Infinity", "NaN", "1e999", "0x10", "1,5", " 1", "one"])
def test_what_is_no_finite_number_is_a_bad_row(text):
    assert "is not a finite number" in value(text, single("number"))


@pytest.mark.parametrize("text", [None, ""])
@pytest.mark.parametrize("type_", ["integer", "number", "boolean", "timestamp", "string"])
def test_an_empty_field_is_missing(type_, text):
    assert value(text, single(type_)) is None


@pytest.mark.parametrize(("text", "read"), [("true", True), ("False", False), ("1", True), ("0", False)])
def test_a_boolean_is_read(text, read):
    assert value(text, single("boolean")) is read


def test_yes_is_no_boolean():
    assert value("yes", single("boolean")) == "v: 'yes' is not true or false"


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2013-04-01T12:00:00Z", "2013-04-01T12:00:00"), ("2013-04-01 12:00:00+00:00", "2013-04-01T12:00:00"),
        ("2013-04-01T12:00+0200", "2013-04-01T10:00:00"), ("2013-04-01T12:00:00.5-05", "2013-04-01T17:00:00.5"),
        ("2012-02-29T00:00:00Z", "2012-02-29T00:00:00"), ("2000-02-29T00:00Z", "2000-02-29T00:00:00"),
        ("9999-12-31T00:00:00Z", "9999-12-31T00:00:00"),
    ],
)  # fmt: skip
def test_a_moment_with_a_zone_is_read_as_utc(text, utc):
    assert value(text, single("timestamp")) == datetime.fromisoformat(utc).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    ["2013-02-29T00:00:00Z", "1900-02-29T00:00Z", "2013-04-31T00:00Z", "2013-13-01T00:00Z", "2013-04-01T24:00Z",
     "2013-04-01T00:60Z", "2013-04-01T00:00:60Z", "1364774400", "1364774400000", "01.04.2013", "2013-4-1T00:00Z",
     "2013-04-01T00:00:00.1234567Z", "0001-01-01T00:00Z", "2013-04-01T12:00:00 America/New_York"],
)  # fmt: skip
def test_what_is_no_moment_is_a_bad_row(text):
    assert "is not an ISO 8601 timestamp" in value(text, single("timestamp"))


def test_a_moment_that_leaves_the_years_in_utc_is_a_bad_row():
    assert "outside the years" in value("9999-12-31T23:00:00-05:00", single("timestamp"))


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("2013-07-01 12:00:00", datetime(2013, 7, 1, 16, tzinfo=UTC)),
        ("2013-01-01", datetime(2013, 1, 1, 5, tzinfo=UTC)),
        ("2013-07-01T12:00:00Z", datetime(2013, 7, 1, 12, tzinfo=UTC)),
        ("2013-11-03T01:30:00-05:00", datetime(2013, 11, 3, 6, 30, tzinfo=UTC)),
        ("2013-03-10 02:30", "v: '2013-03-10 02:30' does not exist in America/New_York: the clock skips it"),
        ("2013-11-03 01:30", "v: '2013-11-03 01:30' happens twice in America/New_York: write it with its offset"),
    ],
)
def test_a_moment_without_a_zone_is_read_in_the_declared_one(text, read):
    assert value(text, single("timestamp", timezone="America/New_York")) == read


@pytest.mark.parametrize(
    ("text", "fold", "read"),
    [
        ("2013-11-03 01:30", "earlier", datetime(2013, 11, 3, 5, 30, tzinfo=UTC)),
        ("2013-11-03 01:30", "later", datetime(2013, 11, 3, 6, 30, tzinfo=UTC)),
        ("2013-11-03 00:59", "later", datetime(2013, 11, 3, 4, 59, tzinfo=UTC)),
        ("2013-11-03 02:00", "earlier", datetime(2013, 11, 3, 7, tzinfo=UTC)),
        ("2013-11-03T01:30:00-05:00", "earlier", datetime(2013, 11, 3, 6, 30, tzinfo=UTC)),
    ],
)
def test_an_hour_that_happens_twice_is_read_as_the_spec_says(text, fold, read):
    assert value(text, single("timestamp", timezone="America/New_York", fold=fold)) == read


@pytest.mark.parametrize("fold", ["refuse", "earlier", "later"])
def test_an_hour_that_never_happens_is_a_bad_row_whatever_the_spec_says_of_folds(fold):
    said = value("2013-03-10 02:30", single("timestamp", timezone="America/New_York", fold=fold))
    assert "the clock skips it" in said


def test_a_moment_without_any_zone_is_a_bad_row():
    assert "names no zone" in value("2013-07-01 12:00:00", single("timestamp"))


@pytest.mark.slow
@settings(derandomize=True, max_examples=200, deadline=None)
@given(number=st.integers(-(2**70), 2**70))
@example(number=2**63)
@example(number=-(2**63) - 1)
def test_an_integer_is_read_exactly_or_not_at_all(number):
    read = value(str(number), single("integer"))
    assert read == number if -(2**63) <= number < 2**63 else "exceeds 64 bits" in read


@settings(derandomize=True, max_examples=100, deadline=None)
@given(number=st.floats(allow_nan=False, allow_infinity=False))
def test_a_written_number_is_read_back_to_the_bit(number):
    assert value(repr(number), single("number")) == number

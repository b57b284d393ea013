from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updraft.spec.durations import parse, render


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("0m", timedelta(0)),
        ("90m", timedelta(minutes=90)),
        ("6h", timedelta(hours=6)),
        ("1d", timedelta(days=1)),
        ("2w", timedelta(weeks=2)),
    ],
)
def test_a_duration_is_a_whole_number_and_a_unit(text, length):
    assert parse(text) == length


@pytest.mark.parametrize("text", ["", "1", "d", "1.5d", "-1d", "1 d", "1D", "10000d", "1d1h", "1d\n", "٣d", None, 5])
def test_nothing_else_is_a_duration(text):
    with pytest.raises(ValueError, match="whole number and a unit"):
        parse(text)


@given(st.integers(0, 9999), st.sampled_from("mhd"))
def test_a_duration_written_and_read_again_is_the_same(count, unit):
    length = parse(f"{count}{unit}")
    assert parse(render(length)) == length

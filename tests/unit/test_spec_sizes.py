import pytest
from hypothesis import given
from hypothesis import strategies as st

from updraft.spec.sizes import parse, render


@pytest.mark.parametrize(("text", "size"), [("1MB", 1024**2), ("512MB", 512 * 1024**2), ("4GB", 4 * 1024**3)])
def test_a_size_is_a_whole_number_and_a_unit(text, size):
    assert parse(text) == size


@pytest.mark.parametrize(
    "text", ["", "4", "GB", "1.5GB", "-1GB", "0GB", "4 GB", "4gb", "4TB", "4GB\n", None, True, 0, -1]
)
def test_nothing_else_is_a_size(text):
    with pytest.raises(ValueError, match="whole number and a unit"):
        parse(text)


@given(st.integers(1, 99999), st.sampled_from(["MB", "GB"]))
def test_a_size_that_is_written_reads_the_same(number, unit):
    size = parse(f"{number}{unit}")
    assert parse(render(size)) == size

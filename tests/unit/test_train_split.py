import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from updraft.errors import TrainingRefused
from updraft.spec.model import Model
from updraft.train.split import split


def days(count):
    return [f"2013-01-{day:02}" for day in range(1, count + 1)]


def numbers(keys):
    return [int(key[-2:]) for key in keys]


@pytest.mark.parametrize(
    ("count", "lengths", "train", "validation", "holdout"),
    [
        pytest.param(9, (2, 3, 1), [1, 2], [4, 5], [7, 8, 9], id="gaps"),
        pytest.param(8, (2, 3, 1), [1], [3, 4], [6, 7, 8], id="just enough"),
        pytest.param(6, (2, 3, 0), [1], [2, 3], [4, 5, 6], id="no gap"),
    ],
)
def test_the_newest_partitions_are_held_out_and_gaps_are_left(count, lengths, train, validation, holdout):
    sizes = dict(zip(("validation", "holdout", "gap"), lengths, strict=True))
    found = split(days(count), Model(**sizes))
    assert [numbers(keys) for keys in found.windows().values()] == [train, validation, holdout]


@pytest.mark.parametrize("count", [0, 1, 7])
def test_too_few_partitions_are_refused_with_both_numbers(count):
    with pytest.raises(TrainingRefused, match=rf"{count} mature partitions with labels, at least 8 are needed"):
        split(days(count), Model(validation=2, holdout=3, gap=1))


@given(st.permutations(days(12)), st.integers(1, 3), st.integers(1, 3), st.integers(0, 2))
@settings(max_examples=50, derandomize=True, deadline=None)
def test_windows_are_ordered_disjoint_and_of_the_asked_length_whatever_the_order(keys, validation, holdout, gap):
    found = split(keys * 2, Model(validation=validation, holdout=holdout, gap=gap))
    train, middle, last = (numbers(window) for window in found.windows().values())
    assert (len(middle), len(last)) == (validation, holdout)
    assert middle[0] - train[-1] == last[0] - middle[-1] == gap + 1
    assert train[0] == 1
    assert last[-1] == 12


def test_a_missing_day_never_makes_a_gap_shorter():
    found = split(days(5) + days(12)[7:], Model(validation=2, holdout=3, gap=1))
    assert [numbers(keys) for keys in found.windows().values()] == [[1, 2, 3], [5, 8], [10, 11, 12]]


def test_rows_are_taken_by_their_partition_in_their_order():
    rows = pd.DataFrame({"partition": ["2013-01-09", "2013-01-07", "2013-01-01"], "x": [1, 2, 3]})
    found = split(days(9), Model(validation=2, holdout=3, gap=1))
    assert found.take(rows, "holdout")["x"].tolist() == [1, 2]
    assert found.take(rows, "train")["x"].tolist() == [3]

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from updraft.monitor.histogram import Histogram, histogram

nan = float("nan")
lawful = settings(max_examples=60, derandomize=True, deadline=None)
numbers = st.lists(st.integers(-1000, 1000).map(float) | st.just(nan), max_size=200)


@pytest.mark.parametrize(
    ("values", "cuts", "counts"),
    [
        pytest.param([], (), (0, 0), id="no rows"),
        pytest.param([nan, nan], (), (0, 2), id="only missing"),
        pytest.param([7, 7, 7], (), (3, 0), id="a constant"),
        pytest.param([0] * 5 + [1] * 95, (0,), (5, 95, 0), id="a rare low value keeps its own cell"),
        pytest.param([1, float("inf"), -float("inf"), nan, 2], (1,), (1, 1, 3), id="what is not finite is missing"),
        pytest.param([-0.0, 0.0, 1.0], (0.0,), (2, 1, 0), id="zero has one sign"),
        pytest.param(list(range(100)), tuple(range(9, 99, 10)), (10,) * 10 + (0,), id="deciles"),
        pytest.param(
            list(range(10)) + [10] * 80 + list(range(11, 21)), (9, 10), (10, 80, 10, 0), id="a heavy value stands alone"
        ),
    ],
)
def test_numbers_are_cut_at_values_that_occur(values, cuts, counts):
    found = histogram(np.array(values, dtype=float), "number")
    assert (found.cuts, found.counts) == (cuts, counts)


@pytest.mark.parametrize(
    ("values", "cuts", "counts"),
    [
        pytest.param([], (), (0, 0), id="no rows"),
        pytest.param(["b", "a", None, "b"], ("a", "b"), (1, 2, 0, 1), id="levels in order"),
        pytest.param(["a"] * 199 + ["b"], ("a",), (199, 1, 0), id="below one percent is other"),
        pytest.param([f"tail{i}" for i in range(300)], (), (300, 0), id="a key has no level"),
        pytest.param([1, 2, True, None], ("1", "2", "True"), (1, 1, 1, 0, 1), id="levels are their text"),
    ],
)
def test_categories_have_a_cell_per_level_that_is_not_rare(values, cuts, counts):
    found = histogram(np.array(values, dtype=object), "category")
    assert (found.cuts, found.counts) == (cuts, counts)


@pytest.mark.parametrize("dtype", ["object", "str", "category"])
def test_a_category_column_counts_alike_however_pandas_stores_it(dtype):
    column = pd.Series(["EWR", "JFK", None, "EWR"], dtype=dtype)
    assert histogram(column, "category") == Histogram("category", ("EWR", "JFK"), (2, 1, 0, 1))


def test_other_rows_are_counted_into_the_same_cells():
    reference = histogram(["EWR", "JFK"], "category")
    assert reference.count(["JFK", "LGA", None, "SFO"]).tolist() == [0, 1, 2, 1]
    assert histogram([1.0, 2.0, 3.0], "number").count([0, 2, 9, nan]).tolist() == [1, 1, 1, 1]


@given(numbers)
@lawful
def test_every_row_is_counted_once_and_order_does_not_matter(values):
    found = histogram(np.array(values), "number")
    assert found.rows == len(values)
    assert found == histogram(np.array(values[::-1]), "number")
    assert found.count(np.array(values)).tolist() == list(found.counts)


@given(numbers)
@lawful
def test_an_increasing_relabelling_gives_the_same_counts(values):
    relabelled = np.arctan(np.array(values) / 500) * 3 - 7
    assert histogram(relabelled, "number").counts == histogram(np.array(values), "number").counts


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param(("number", (2.0, 1.0), (0, 0, 0, 0)), id="cuts that do not ascend"),
        pytest.param(("number", (1.0, 1.0), (0, 0, 0, 0)), id="cuts that repeat"),
        pytest.param(("number", (nan,), (0, 0, 0)), id="a cut that is no number"),
        pytest.param(("number", ("a",), (0, 0, 0)), id="levels of a number"),
        pytest.param(("category", (1.0,), (0, 0, 0)), id="edges of a category"),
        pytest.param(("category", ("a",), (1, 2)), id="too few counts"),
        pytest.param(("category", ("a",), (1, -2, 0)), id="a negative count"),
    ],
)
def test_a_histogram_that_cannot_be_is_refused(parts):
    with pytest.raises(ValueError, match="cut"):
        Histogram(*parts)

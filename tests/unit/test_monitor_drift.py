import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from updraft.monitor.drift import stability
from updraft.monitor.histogram import histogram

nan = float("nan")
lawful = settings(max_examples=60, derandomize=True, deadline=None)
numbers = st.lists(st.integers(-50, 50).map(float) | st.just(nan), min_size=1, max_size=100)
levels = st.lists(st.sampled_from(["a", "b", "c", None]), min_size=1, max_size=60)


def index(reference, current):
    """Stability index over the cells that a profile would keep of the reference."""
    cells = histogram(reference, "number" if np.issubdtype(reference.dtype, np.number) else "category")
    return stability(np.asarray(cells.counts), cells.count(current))


@given(numbers, numbers)
@lawful
def test_the_index_is_never_negative(reference, current):
    found = index(np.array(reference), np.array(current))
    assert math.isnan(found) or found >= 0


@given(numbers, st.integers(1, 4))
@lawful
def test_the_same_shares_are_no_movement_whatever_the_number_of_rows(values, times):
    found = index(np.array(values), np.array(values * times))
    assert math.isnan(found) or found == pytest.approx(0, abs=1e-12)


@given(numbers, numbers, st.randoms())
@lawful
def test_neither_order_nor_an_increasing_relabelling_matters(reference, current, random):
    expected = index(np.array(reference), np.array(current))
    random.shuffle(current)
    found = index(np.exp(np.array(reference) / 9), np.exp(np.array(current) / 9))
    assert found == pytest.approx(expected, nan_ok=True)


@given(levels, levels)
@lawful
def test_the_names_of_levels_do_not_matter(reference, current):
    other = {"a": "z", "b": "y", "c": "x", None: None}
    expected = index(np.array(reference, object), np.array(current, object))
    renamed = [np.array([other[v] for v in side], object) for side in (reference, current)]
    assert index(*renamed) == pytest.approx(expected, nan_ok=True)


@given(st.lists(st.tuples(st.integers(0, 99), st.integers(0, 99)), min_size=2, max_size=12))
@lawful
def test_the_index_is_finite_and_as_large_seen_from_either_side(cells):
    p, q = np.array(cells).T
    assert stability(p, q) == pytest.approx(stability(q, p), nan_ok=True)
    assert (p.sum() == 0 or q.sum() == 0) == math.isnan(stability(p, q))


@pytest.mark.parametrize(
    ("reference", "current"),
    [
        pytest.param([], [1.0], id="empty reference"),
        pytest.param([1.0, 2.0], [], id="empty window"),
    ],
)
def test_without_rows_on_either_side_the_index_is_undefined(reference, current):
    assert math.isnan(index(np.array(reference), np.array(current)))


def test_a_rare_level_that_does_not_show_up_is_no_evidence():
    assert stability(np.array([999_999, 1]), np.array([500, 0])) < 1e-5


@pytest.mark.parametrize(
    ("reference", "current"),
    [
        pytest.param(["a"] * 50 + ["b"] * 50, ["a"] * 45 + ["b"] * 45 + ["new"] * 10, id="unseen level"),
        pytest.param([1.0] * 50 + [2.0] * 50, [1.0] * 45 + [2.0] * 45 + [nan] * 10, id="values gone missing"),
        pytest.param([0.0] * 5 + [1.0] * 95, [0.0] * 50 + [1.0] * 50, id="flag that flips"),
    ],
)
def test_what_a_quantile_can_miss_is_found(reference, current):
    assert index(np.array(reference * 20), np.array(current * 20)) > 0.2


def test_the_index_of_two_normals_is_jeffreys_divergence():
    random = np.random.default_rng(3)
    reference = random.normal(size=20_000)
    found = [index(reference, random.normal(0.5, size=900)) for _ in range(50)]
    assert np.mean(found) == pytest.approx(0.25, abs=0.03)

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from updraft.monitor.distance import Mass, jensen_shannon, wasserstein
from updraft.monitor.drift import stability
from updraft.monitor.histogram import histogram

lawful = settings(max_examples=60, derandomize=True, deadline=None)
numbers = st.lists(st.integers(-50, 50).map(float), min_size=1, max_size=80)


def apart(reference, current):
    cells = histogram(reference, "number")
    return wasserstein(cells, Mass.of(cells, reference), Mass.of(cells, current))


@given(numbers, numbers)
@lawful
def test_it_is_never_more_than_the_distance_of_the_rows_and_at_least_the_shift_of_the_mean(reference, current):
    found = apart(reference, current)
    assert found <= stats.wasserstein_distance(reference, current) + 1e-9
    assert found >= abs(np.mean(reference) - np.mean(current)) - 1e-9


@given(numbers, st.integers(-40, 40))
@lawful
def test_a_shift_is_measured_exactly(values, shift):
    assert apart(values, np.array(values) + shift) == pytest.approx(abs(shift), abs=1e-9)


def test_a_spread_that_doubles_is_nearly_that_of_the_rows():
    random = np.random.default_rng(1)
    reference, current = random.normal(size=5000), random.normal(scale=2, size=5000)
    assert apart(reference, current) == pytest.approx(stats.wasserstein_distance(reference, current), rel=0.05)


@pytest.mark.parametrize("values", [[], [np.nan, np.inf]])
def test_without_a_number_there_is_no_distance(values):
    assert np.isnan(apart([1.0, 2.0], values))
    assert np.isnan(apart(values, [1.0, 2.0]))


@given(st.lists(st.tuples(st.integers(0, 99), st.integers(0, 99)), min_size=2, max_size=12))
@lawful
def test_jensen_shannon_agrees_with_scipy(cells):
    from scipy.spatial.distance import jensenshannon

    p, q = np.array(cells).T
    if p.sum() and q.sum():
        assert jensen_shannon(p, q) == pytest.approx(jensenshannon(p, q), abs=1e-6)


def test_a_small_index_is_eight_times_the_divergence_as_the_limits_have_it():
    p, q = np.array([500, 500]), np.array([540, 460])
    assert stability(p, q) == pytest.approx(8 * jensen_shannon(p, q) ** 2, rel=0.01)

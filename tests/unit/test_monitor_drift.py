import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from updraft.monitor.drift import ALPHA, drift, judge, population_stability, psi_limit, stability
from updraft.monitor.histogram import histogram

nan = float("nan")
lawful = settings(max_examples=60, derandomize=True, deadline=None)
numbers = st.lists(st.integers(-50, 50).map(float) | st.just(nan), min_size=1, max_size=100)
levels = st.lists(st.sampled_from(["a", "b", "c", None]), min_size=1, max_size=60)


@given(numbers, numbers)
@lawful
def test_the_index_is_never_negative(reference, current):
    found = population_stability(np.array(reference), np.array(current))
    assert math.isnan(found) or found >= 0


@given(numbers, st.integers(1, 4))
@lawful
def test_the_same_shares_are_no_movement_whatever_the_number_of_rows(values, times):
    found = population_stability(np.array(values), np.array(values * times))
    assert math.isnan(found) or found == pytest.approx(0, abs=1e-12)


@given(numbers, numbers, st.randoms())
@lawful
def test_neither_order_nor_an_increasing_relabelling_matters(reference, current, random):
    expected = population_stability(np.array(reference), np.array(current))
    random.shuffle(current)
    found = population_stability(np.exp(np.array(reference) / 9), np.exp(np.array(current) / 9))
    assert found == pytest.approx(expected, nan_ok=True)


@given(levels, levels)
@lawful
def test_the_names_of_levels_do_not_matter(reference, current):
    other = {"a": "z", "b": "y", "c": "x", None: None}
    expected = population_stability(np.array(reference, object), np.array(current, object))
    renamed = [np.array([other[v] for v in side], object) for side in (reference, current)]
    assert population_stability(*renamed) == pytest.approx(expected, nan_ok=True)


@given(st.lists(st.tuples(st.integers(0, 99), st.integers(0, 99)), min_size=2, max_size=12))
@lawful
def test_the_index_is_finite_and_as_large_seen_from_either_side(cells):
    p, q = np.array(cells).T
    assert stability(p, q) == pytest.approx(stability(q, p), nan_ok=True)
    assert (p.sum() == 0 or q.sum() == 0) == math.isnan(stability(p, q))


@pytest.mark.parametrize(
    ("reference", "current", "reason"),
    [
        pytest.param([], [1.0], "reference has no rows", id="empty reference"),
        pytest.param([1.0, 2.0], [], "window has no rows", id="empty window"),
        pytest.param([1.0, 1.0], [1.0, 2.0], "in one cell", id="constant reference"),
        pytest.param([nan, nan], [1.0, 2.0], "in one cell", id="reference with nothing but missing values"),
    ],
)
def test_what_is_undefined_is_nan_with_the_reason(reference, current, reason):
    found = drift(histogram(np.array(reference), "number"), np.array(current), effect=0.2, min_rows=1)
    assert math.isnan(found.value)
    assert math.isnan(found.limit)
    assert found.status == "unknown"
    assert reason in found.reason
    assert math.isnan(population_stability(np.array(reference), np.array(current)))


def test_a_window_below_the_fewest_rows_is_unknown_however_far_it_moved():
    found = drift(histogram(np.arange(1000.0), "number"), np.full(99, 999.0), effect=0.2, min_rows=100)
    assert found.status == "unknown"
    assert found.value > found.limit
    assert found.reason == "99 rows in the window, 100 are needed"


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
    kind = "category" if isinstance(reference[0], str) else "number"
    assert drift(histogram(reference * 20, kind), np.array(current * 20), effect=0.2, min_rows=500).status == "drifted"


@pytest.mark.parametrize(
    ("n", "m", "cells", "expected"),
    [
        pytest.param(10**6, 10**6, 10, 0.2, id="with many rows the effect decides"),
        pytest.param(10**9, 100, 11, 0.2321, id="with few rows chance decides"),  # chi-square(10) at 99 %: 23.21
        pytest.param(100, 100, 11, 0.4642, id="both sides add noise"),
    ],
)
def test_the_limit_is_the_effect_or_what_chance_can_do(n, m, cells, expected):
    assert psi_limit(n, m, cells, 0.01, 0.2) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("m", [500, 1000, 5000])
@pytest.mark.parametrize("kind", ["number", "category"])
def test_windows_of_an_unmoved_column_rarely_drift_even_where_only_chance_sets_the_limit(kind, m):
    random, repeats = np.random.default_rng(m), 400
    shares = (
        np.full(10, 0.1) if kind == "number" else np.array([0.3, 0.2, 0.15, 0.1, 0.08, 0.06, 0.05, 0.03, 0.02, 0.01])
    )
    sides = zip(random.multinomial(4000, shares, repeats), random.multinomial(m, shares, repeats), strict=True)
    alarms = [judge(*side, effect=0.0, min_rows=1).status == "drifted" for side in sides]
    # 400 looks at 1 % give more than 12 false alarms once in two thousand times.
    assert sum(alarms) <= 3 * ALPHA * repeats


def test_quantile_cells_of_a_sample_keep_the_false_alarm_rate():
    random = np.random.default_rng(7)
    draws = [(random.normal(size=2000), random.normal(size=500)) for _ in range(200)]
    alarms = [drift(histogram(r, "number"), c, effect=0.0, min_rows=1).status == "drifted" for r, c in draws]
    assert sum(alarms) <= 4 * ALPHA * 200


def test_a_shift_of_half_a_standard_deviation_is_found_in_900_rows():
    random = np.random.default_rng(3)
    reference = histogram(random.normal(size=20_000), "number")
    found = [drift(reference, random.normal(0.5, size=900), effect=0.1, min_rows=500) for _ in range(50)]
    assert {d.status for d in found} == {"drifted"}
    assert np.mean([d.value for d in found]) == pytest.approx(0.25, abs=0.03)  # Jeffreys' divergence of two normals

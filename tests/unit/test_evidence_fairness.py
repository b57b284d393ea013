"""Groups are compared by their shares, with bounds that hold."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.two_groups import evidence

from updraft.evidence.fairness import COUNTED, gap, gap_error, shares
from updraft.evidence.sampling import resamples
from updraft.evidence.slices import parted
from updraft.spec.slices import Parts


def slow(rate, y, acted, group):
    """Share per group by its definition, row by row."""
    asked = {"selection_rate": lambda _: True, "true_positive_rate": bool, "false_positive_rate": lambda o: not o}[rate]
    found = {}
    for name in sorted(set(group)):
        counted = [a for o, a, g in zip(y, acted, group, strict=True) if g == name and asked(o)]
        found[name] = sum(counted) / len(counted) if counted else np.nan
    return found


@st.composite
def decided(draw):
    """Outcomes, decisions, groups and partition numbers without gaps, and how often each partition is taken."""
    each = st.tuples(st.booleans(), st.booleans(), st.sampled_from("abc"), st.integers(0, 3))
    y, acted, group, block = zip(*draw(st.lists(each, min_size=4, max_size=40)), strict=True)
    codes = np.unique(block, return_inverse=True)[1]
    blocks = int(codes.max()) + 1
    times = draw(st.lists(st.integers(0, 3), min_size=blocks, max_size=blocks))
    return np.array(y, float), np.array(acted), np.array(group), codes, np.array(times)


def groups(group):
    return parted(pd.DataFrame({"group": group}), Parts(by=("group",)), "group")


@pytest.mark.slow
@pytest.mark.parametrize("rate", sorted(COUNTED))
@settings(max_examples=60, derandomize=True, deadline=None)
@given(rows=decided())
def test_the_shares_of_a_resample_are_those_of_the_repeated_rows(rate, rows):
    y, acted, group, codes, times = rows
    repeated = np.repeat(np.arange(len(y)), times[codes])
    found = shares(rate, y, acted, groups(group), codes).of(times[None, :].astype(float))[0]
    expected = slow(rate, y[repeated], acted[repeated], group[repeated])
    assert found == pytest.approx([expected.get(name, np.nan) for name in np.unique(group)], nan_ok=True)


@pytest.mark.slow
@settings(max_examples=60, derandomize=True, deadline=None)
@given(rows=decided())
def test_gaps_are_those_of_fairlearn(rows):
    from fairlearn import metrics as fairlearn

    y, acted, group, codes, times = rows
    repeated = np.repeat(np.arange(len(y)), times[codes])
    told = {"sensitive_features": group[repeated]}
    found = {
        rate: shares(rate, y, acted, groups(group), codes).gaps(times[None, :].astype(float))[0] for rate in COUNTED
    }
    if not np.isnan(list(found.values())).any():
        parity = fairlearn.demographic_parity_difference(y[repeated], acted[repeated], **told)
        odds = fairlearn.equalized_odds_difference(y[repeated], acted[repeated], **told)
        assert found["selection_rate"] == pytest.approx(parity)
        assert max(found["true_positive_rate"], found["false_positive_rate"]) == pytest.approx(odds)


def test_rows_of_a_missing_group_are_counted_in_none():
    y, acted = np.array([1.0, 0.0, 1.0, 1.0]), np.array([True, True, False, True])
    found = shares("selection_rate", y, acted, groups(pd.Series(["a", None, "b", "a"])), np.array([0, 0, 1, 1]))
    assert found.groups == ("a", "b")
    assert found.among.sum(axis=0).tolist() == [2, 1]
    assert found.of(np.ones((1, 2)))[0].tolist() == [1.0, 0.0]


@pytest.mark.slow
def test_the_bounds_hold_the_true_gap_and_not_too_loosely():
    # Decisions are coin flips whose chance depends on the group alone, so the gap is known: 0.1.
    low = high = 0
    for seed in range(300):
        rng = np.random.default_rng(seed)
        group = rng.choice(["a", "b", "c"], 1500)
        acted = rng.random(1500) < np.where(group == "a", 0.4, 0.3)
        found = gap(
            shares("selection_rate", acted * 1.0, acted, groups(group), np.arange(1500) // 100), confidence=0.95, seed=1
        )
        low += found.low <= 0.1
        high += found.high >= 0.1
    assert low / 300 >= 0.95
    assert 0.94 <= high / 300 <= 1.0


def test_groups_that_are_alike_seldom_seem_apart():
    apart = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        group, acted = rng.choice(["a", "b", "c", "d"], 1000), rng.random(1000) < 0.3
        found = gap(
            shares("selection_rate", acted * 1.0, acted, groups(group), np.arange(1000) // 100), confidence=0.95, seed=1
        )
        apart += found.low > 0
    assert apart / 200 <= 0.07


def test_the_same_decisions_have_the_same_gap_for_sure():
    rows = evidence(favour=0.5)
    codes = np.unique(rows.blocks, return_inverse=True)[1]
    one = shares("selection_rate", rows.y, rows.candidate > 0.3, groups(rows.rows["sex"].to_numpy()), codes)
    assert gap_error(one, one, seed=1) == 0.0
    assert one.gaps(resamples(one.blocks, 1)).shape == (1014,)

"""Holm's bounds reject what Holm's procedure rejects, and call equal models worse no more often than declared."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import t as student

from updraft.evidence.holm import widened
from updraft.evidence.paired import Difference

ONE = Difference(
    metric="brier", candidate=0.2, reference=0.2, difference=0.0, low=-0.02, high=0.02, standard_error=0.01,
    confidence=0.95, n=1400, positives=300, blocks=14, method="",
)  # fmt: skip


def differences(*found, **change):
    return [replace(ONE, difference=d, low=d - 0.02, high=d + 0.02, **change) for d in found]


def by_the_book(found, margins, alpha=0.05):
    """Holm's step-down procedure on p values, as the paper has it."""
    chance = [student.cdf((d.difference + m) / d.standard_error, d.blocks - 1) for d, m in zip(found, margins)]  # noqa: B905
    rejected = set()
    for step, i in enumerate(np.argsort(chance)):
        if chance[i] > alpha / (len(found) - step):
            break
        rejected.add(int(i))
    return rejected


@pytest.mark.parametrize("seed", range(20))
def test_a_bound_below_the_margin_is_a_rejection_by_holm(seed):
    rng = np.random.default_rng(seed)
    found, margins = differences(*rng.normal(-0.02, 0.02, 8)), rng.uniform(0, 0.01, 8).tolist()
    wide = widened(found, margins)
    assert {i for i, (one, m) in enumerate(zip(wide, margins, strict=True)) if one.high < -m} == by_the_book(
        found, margins
    )


def test_alone_a_difference_keeps_its_bound():
    (one,) = widened(differences(-0.03), [0.0])
    assert one.high == pytest.approx(-0.03 + 0.01 * student.ppf(0.95, 13))


def test_among_many_the_same_difference_is_no_longer_worse():
    alone, many = differences(-0.02), differences(-0.02, *[0.0] * 19)
    assert widened(alone, [0.0])[0].high < 0 < widened(many, [0.0] * 20)[0].high


def test_what_has_no_bounds_counts_for_nothing():
    silent = replace(ONE, standard_error=np.nan, high=np.nan)
    alone = replace(ONE, blocks=1)
    found = widened([*differences(-0.03), silent, alone], [0.0] * 3)
    assert found[0].high == widened(differences(-0.03), [0.0])[0].high
    assert np.isnan(found[1].high)
    assert found[2].high == alone.high


def test_models_that_never_differ_are_not_worse():
    same, worse = differences(0.0, -0.01, standard_error=0.0)
    assert [one.high < 0 for one in widened([same, worse], [0.0, 0.0])] == [False, True]


def test_equal_slices_are_called_worse_no_more_often_than_declared():
    rng = np.random.default_rng(7)
    called = 0
    for _ in range(400):
        drawn = [
            replace(ONE, difference=d.mean(), standard_error=d.std(ddof=1) / 14**0.5)
            for d in rng.normal(0, 1, (10, 14))
        ]
        called += any(one.high < 0 for one in widened(drawn, [0.0] * 10))
    assert called / 400 <= 0.07

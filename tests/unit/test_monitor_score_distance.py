import math

import numpy as np
import pytest

from updraft.monitor.histogram import histogram
from updraft.monitor.score_distance import distance

REFERENCE = np.random.default_rng(1).normal(size=5000)
CELLS = histogram(REFERENCE, "number", bins=100)
DAYS = np.repeat([f"d{day}" for day in range(7)], 300)


def far(given, cells=CELLS, deviation=1.0, days=DAYS):
    return distance(cells, deviation, given, days, blocks=28, alpha=0.01, seed=1)


@pytest.mark.parametrize("shift", [0.5, 1.0, -1.0])
def test_a_shift_is_as_far_as_it_goes_in_standard_deviations(shift):
    now = np.random.default_rng(2).normal(size=len(DAYS)) + shift
    assert far(now).value == pytest.approx(abs(shift), rel=0.12)
    assert far(10 * now, histogram(10 * REFERENCE, "number", bins=100), 10.0).value == pytest.approx(far(now).value)


def test_nothing_new_is_within_chance():
    found = far(np.random.default_rng(2).normal(size=len(DAYS)))
    assert found.value < found.chance < 0.15


def test_days_with_a_mood_of_their_own_move_further_by_chance():
    random = np.random.default_rng(2)
    moody = np.repeat(random.normal(size=7), 300) + random.normal(size=len(DAYS)) / 2
    assert far(moody).chance > 4 * far(random.normal(size=len(DAYS))).chance


def test_classes_are_as_far_as_their_shares():
    cells = histogram(np.array(["a", "b"] * 50), "category", bins=100)
    days = np.repeat(["mon", "tue"], 50)
    assert distance(cells, 0.0, np.array(["a", "b"] * 50), days, blocks=28, alpha=0.01, seed=1).value == 0
    gone = distance(cells, 0.0, np.array(["c"] * 100), days, blocks=28, alpha=0.01, seed=1)
    assert (gone.value, gone.chance) == (1.0, 0.0)


@pytest.mark.parametrize(
    ("given", "days", "cells"),
    [
        pytest.param(np.array([]), DAYS[:0], CELLS, id="no rows"),
        pytest.param(np.ones(3), DAYS[:3], histogram(np.ones(50), "number"), id="a constant reference"),
    ],
)
def test_what_has_no_distance_says_nan(given, days, cells):
    assert math.isnan(far(given, cells, days=days).value)


def test_one_partition_says_nothing_of_chance():
    assert math.isnan(far(REFERENCE[:300], days=DAYS[:300]).chance)
    assert far(REFERENCE[:300], days=DAYS[:300]).value < 0.2


def test_windows_like_their_reference_are_rarely_further_away_than_chance():
    beyond = 0
    for seed in range(60):
        random = np.random.default_rng(seed)
        before, now = (np.repeat(random.normal(0, 0.5, days), 100) + random.normal(size=days * 100) for days in (28, 7))
        cells, days = histogram(before, "number", bins=100), np.repeat(np.arange(7), 100)
        found = distance(cells, before.std(), now, days, blocks=28, alpha=0.05, seed=seed)
        beyond += found.value > found.chance
    assert beyond <= 7, "5 % asked for"

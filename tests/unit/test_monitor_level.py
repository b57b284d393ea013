import math
from dataclasses import astuple

import numpy as np
import pytest

from updraft.monitor.level import Level, judge, level, levels, reach, share, widened

DAYS = np.repeat(["mon", "tue", "wed", "thu"], 25)


@pytest.mark.parametrize(
    ("per_day", "error"),
    [
        pytest.param([5, 5, 5, 5], 0.0402, id="days alike: as independent rows"),
        pytest.param([0, 10, 0, 10], 0.1155, id="days apart: as few days"),
    ],
)
def test_rows_of_a_partition_share_their_luck(per_day, error):
    each = np.concatenate([np.arange(25) < count for count in per_day])
    found = level(each, DAYS)
    assert (found.value, found.blocks, found.rows) == (0.2, 4, 100)
    assert found.error == pytest.approx(error, abs=1e-4)
    assert share(per_day, [25] * 4).value == 0.2
    assert share(per_day, [25] * 4).error == pytest.approx(found.error, rel=0.01)


@pytest.mark.parametrize("each", [[], [1.0]], ids=["no row", "one row"])
def test_what_cannot_be_told_is_no_level(each):
    assert level(each, np.array(["mon"] * len(each))) is None
    assert levels(np.zeros((len(each), 2)), np.array(["mon"] * len(each))) == []


def test_a_share_of_nothing_is_no_level():
    assert share([0, 0], [0, 0]) is None


def test_one_partition_has_the_error_of_independent_rows():
    found = level(np.arange(100) < 20, np.array(["mon"] * 100))
    assert found.error == pytest.approx(math.sqrt(0.16 / 99))
    assert found.bounds(0.95)[1] - found.value == pytest.approx(1.645 * found.error, rel=1e-3)


def test_bounds_stay_within_the_range_of_the_number():
    assert Level(0.05, 0.1, 7, 100).bounds(0.95, 0, 1)[0] == 0


def test_levels_of_several_numbers_are_those_of_each():
    each = np.random.default_rng(1).normal(size=(100, 3))
    for found, column in zip(levels(each, DAYS), each.T, strict=True):
        assert astuple(found) == pytest.approx(astuple(level(column, DAYS)))


@pytest.mark.parametrize(
    ("now", "before", "times"),
    [
        pytest.param(Level(0, 1, 7, 1), Level(0, 0, 1, 0), 3.707, id="against a number that is known: t of 6"),
        pytest.param(Level(0, 1, 7, 1), Level(0, 1, 7, 1), 3.055, id="alike: t of 12"),
        pytest.param(Level(0, 1, 1, 1), Level(0, 1, 1, 1), 2.576, id="single partitions: the normal"),
        pytest.param(Level(0, 0, 7, 1), Level(0, 0, 7, 1), 2.576, id="no error at all"),
    ],
)
def test_chance_has_the_degrees_of_freedom_of_welch(now, before, times):
    error = math.hypot(now.error, before.error)
    assert reach(now, before, alpha=0.01) == pytest.approx(times * error, abs=2e-3)


@pytest.mark.parametrize(("away", "chance"), [(math.nan, 1.0), (1.0, math.nan)])
def test_what_is_undefined_is_neither_calm_nor_alarming(away, chance):
    assert judge(away, chance, effect=0.1) == "unknown"


def test_equal_levels_are_rarely_called_apart():
    random = np.random.default_rng(3)

    def drawn(days):
        luck = np.repeat(random.normal(0, 0.5, days), 50)
        return level(luck + random.normal(size=days * 50), np.repeat(np.arange(days), 50))

    false = 0
    for _ in range(1000):
        now, before = drawn(7), drawn(28)
        false += abs(now.value - before.value) > reach(now, before, alpha=0.05)
    assert 5 <= false <= 50, "5 % asked for; rows as independent would give over 60 %"


@pytest.mark.parametrize(
    ("now", "error", "blocks"),
    [
        pytest.param(Level(0, 3, 7, 70), 3, 7, id="surer than it is"),
        pytest.param(Level(0, 1, 7, 70), 2, 28, id="less sure than it says"),
        pytest.param(Level(0, 1, 1, 10), math.sqrt(28), 28, id="one partition"),
    ],
)
def test_a_window_is_no_surer_of_itself_than_the_holdout_was(now, error, blocks):
    found = widened(now, Level(0, 1, 28, 280))
    assert (found.error, found.blocks) == (pytest.approx(error), blocks)

import numpy as np
import pytest

from updraft.monitor.noise import FEWEST_RUNS, distance, noise

EVEN = np.full(5, 200)


def world(random, days, *, per_day=200, moved=0.0, sway=0.0):
    """Counts per day and cell of a column whose mean sways from day to day."""
    cuts = np.array([-0.84, -0.25, 0.25, 0.84])
    means = random.normal(moved, sway, days) if sway else np.full(days, moved)
    values = random.normal(means[:, None], 1.0, (days, per_day))
    return np.array([np.bincount(np.searchsorted(cuts, day), minlength=5) for day in values])


def chance(days, window):
    before, now = days.sum(axis=0), window.sum(axis=0)
    return noise(before, now, days, len(window)).chance(distance(before, now))


def test_the_same_shares_are_no_distance_and_sure_to_be_chance():
    assert distance(EVEN, EVEN * 3) == 0
    assert noise(EVEN, EVEN, np.tile(EVEN, (20, 1)), 7).chance(0.0) == 1


def test_one_row_of_a_new_level_is_no_evidence():
    before, now = np.array([25_000, 25_000, 0]), np.array([500, 499, 1])
    assert noise(before, now, np.empty((0, 3), int), 1).chance(distance(before, now)) > 0.5


@pytest.mark.parametrize("sway", [0.0, 0.3, 1.0])
def test_windows_that_did_not_move_are_called_so_however_much_days_differ(sway):
    random = np.random.default_rng(int(10 * sway))
    found = [chance(world(random, 60, sway=sway), world(random, 7, sway=sway)) for _ in range(300)]
    # 300 looks at 1 % give more than 10 false alarms once in two thousand times.
    assert np.mean(np.array(found) <= 0.01) <= 10 / 300
    assert np.mean(np.array(found) <= 0.1) < 0.2


def test_without_partitions_dependent_rows_pass_for_evidence():
    random = np.random.default_rng(2)
    days = [(world(random, 60, sway=0.3), world(random, 7, sway=0.3)) for _ in range(50)]
    sides = [(before.sum(axis=0), now.sum(axis=0)) for before, now in days]
    pooled = [noise(b, n, np.empty((0, 5), int), 7).chance(distance(b, n)) for b, n in sides]
    assert np.mean(np.array(pooled) <= 0.01) > 0.2


def test_a_shift_of_half_a_deviation_is_found_among_days_that_sway_by_a_fifth():
    random = np.random.default_rng(3)
    found = [chance(world(random, 60, sway=0.2), world(random, 7, moved=0.5, sway=0.2)) for _ in range(50)]
    assert np.mean(np.array(found) <= 0.01) > 0.9


def test_fewer_runs_ask_for_a_larger_distance():
    random = np.random.default_rng(4)
    days = world(random, 200, sway=0.5)
    limits = [noise(days.sum(axis=0), EVEN, days[-count:], 1).critical(0.001) for count in (200, 40, 8)]
    assert limits == sorted(limits)


def test_the_critical_distance_has_the_chance_it_is_asked_for():
    days = world(np.random.default_rng(5), 60, sway=0.3)
    law = noise(days.sum(axis=0), EVEN, days, 7)
    assert law.chance(law.critical(0.004)) == pytest.approx(0.004)
    assert law.design_effect > 1.5


@pytest.mark.parametrize("parts", [0, FEWEST_RUNS - 1])
def test_too_few_partitions_say_nothing_about_their_spread(parts):
    assert np.isnan(noise(EVEN, EVEN, np.tile(EVEN, (parts, 1)), 7).between)
    assert noise(EVEN, EVEN, np.tile(EVEN, (parts, 1)), 7).design_effect == 1

"""The simulated world: what its seed decides, and what only the study may know."""

import numpy as np
import pytest

from updraft.simulation.scenario import SCENARIOS
from updraft.simulation.study import NUMBERS, use_case
from updraft.simulation.world import BEFORE, BROKEN, LATER, MEANING, PER_DAY, YEAR, World, draw, span

WORLDS: dict[str, World] = {}


def world(name: str, seed: int = 3) -> World:
    """One world per scenario is enough for all tests."""
    return WORLDS.setdefault(f"{name} {seed}", draw(SCENARIOS[name], seed))


def day_mean(of: World, column: str, day: int) -> float:
    return float(of.rows[column].iloc[span(day, day)].mean())


def test_the_same_seed_is_the_same_world_and_another_is_not() -> None:
    again, other = draw(SCENARIOS["stationary"], 3), draw(SCENARIOS["stationary"], 4)
    assert again.rows.equals(world("stationary").rows)
    assert np.array_equal(again.came_true, world("stationary").came_true)
    assert not np.array_equal(other.came_true, again.came_true)


def test_a_year_has_a_partition_a_day_after_a_history_to_learn_from() -> None:
    assert len(world("stationary").live) == YEAR
    assert len(world("stationary").rows) == (BEFORE + YEAR) * PER_DAY
    assert list(world("stationary").rows["partition"].unique()) == [day.key for day in world("stationary").days]


@pytest.mark.parametrize("name", sorted(name for name, one in SCENARIOS.items() if not one.season))
def test_until_the_change_every_scenario_that_has_one_is_the_same_luck(name: str) -> None:
    changed, calm = world(name), world("stationary")
    before = span(0, calm.onset - 1)
    assert changed.rows.iloc[before].equals(calm.rows.iloc[before])
    assert np.array_equal(changed.came_true[before], calm.came_true[before])


def test_features_that_move_mean_what_they_meant() -> None:
    moved, calm = world("covariate_shift"), world("stationary")
    day = moved.onset
    shift = SCENARIOS["covariate_shift"].shift
    assert day_mean(moved, "wind", day) - day_mean(calm, "wind", day) == pytest.approx(shift)
    odds = [np.log(w.probability / (1 - w.probability))[span(day, day)] for w in (moved, calm)]
    assert odds[0] - odds[1] == pytest.approx(np.full(PER_DAY, shift * MEANING.sum()))


def test_features_that_come_to_mean_something_else_stay_where_they_are() -> None:
    turned, calm = world("abrupt_drift"), world("stationary")
    assert turned.rows.equals(calm.rows)
    own = span(turned.onset, turned.onset)
    odds = [np.log(w.probability / (1 - w.probability))[own] for w in (turned, calm)]
    assert odds[0] - odds[1] == pytest.approx(calm.rows.iloc[own][list(NUMBERS)].to_numpy() @ (LATER - MEANING))


def test_a_broken_feed_is_in_what_was_delivered_and_not_in_the_world() -> None:
    broken, calm = world("broken_feed"), world("stationary")
    assert np.array_equal(broken.probability, calm.probability)
    differs = [
        day for day in broken.live
        if not np.array_equal(*(w.rows[NUMBERS[BROKEN]].iloc[span(day, day)] for w in (broken, calm)), equal_nan=True)
    ]  # fmt: skip
    assert differs == list(range(broken.onset, broken.onset + SCENARIOS["broken_feed"].broken))


def test_the_seed_says_how_a_feed_breaks() -> None:
    ways = {bool(np.isnan(day_mean(w, "weight", w.onset) + w.rows["weight"].iloc[span(w.onset, w.onset)]).any())
            for w in (draw(SCENARIOS["broken_feed"], seed) for seed in range(4))}  # fmt: skip
    assert ways == {True, False}


def test_labels_are_known_once_they_are_mature() -> None:
    calm, day = world("stationary"), BEFORE
    assert np.isnan(calm.labels(day, day, day + calm.lag - 1)).all()
    assert np.array_equal(calm.labels(day, day, day + calm.lag), calm.came_true[span(day, day)])


def test_during_an_outage_no_labels_come_and_afterwards_all() -> None:
    dark = world("label_outage")
    day, end = dark.onset, dark.onset + SCENARIOS["label_outage"].outage + dark.lag
    assert not dark.delivered(day, end - 1)
    assert dark.delivered(day, end)
    assert np.array_equal(dark.labels(day, day, end), dark.came_true[span(day, day)])


def test_late_labels_are_those_of_rows_that_came_true() -> None:
    late = world("late_positives")
    known = late.labels(BEFORE, BEFORE + 20, BEFORE + 20 + late.lag)
    missing = late.came_true[span(BEFORE, BEFORE + 20)][np.isnan(known)]
    assert len(missing)
    assert (missing == 1).all()
    assert not np.isnan(late.labels(BEFORE, BEFORE, BEFORE + late.lag + 14)).any()


def test_nothing_is_worth_more_than_acting_on_the_truth() -> None:
    calm, own = world("stationary"), span(BEFORE, BEFORE + 9)
    truth = calm.probability[own]
    assert calm.worth(truth, own) == calm.oracle(own)
    assert calm.worth(1 - truth, own) < calm.oracle(own)


def test_the_simulated_use_case_watches_and_retrains_by_the_defaults() -> None:
    case = use_case()
    assert (case.monitor, case.retrain, case.gates) == tuple(
        type(p)() for p in (case.monitor, case.retrain, case.gates)
    )

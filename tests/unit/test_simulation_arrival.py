"""When the labels of a simulated world were there, as a look at it is told."""

from dataclasses import replace

import numpy as np
import pytest

from updraft.monitor.arrival import missing
from updraft.monitor.measures import calibration
from updraft.monitor.weighing import AS_THEY_ARE, weighing
from updraft.simulation.arrival import arrivals
from updraft.simulation.champion import Trainings
from updraft.simulation.look import Moment, window
from updraft.simulation.scenario import SCENARIOS
from updraft.simulation.study import use_case
from updraft.simulation.world import BEFORE, PER_DAY, World, draw, span

AT = BEFORE + 60


@pytest.fixture(scope="module")
def late() -> World:
    return draw(SCENARIOS["late_positives"], 3)


def seen(world: World, at: int, relieved: int = BEFORE):
    """What is known at a day of labels, where the champion scores from the day `relieved` on."""
    own = {day: day >= relieved for day in range(BEFORE, at + 1)}
    return arrivals(world, at, own, np.full(len(world.rows), 0.5))


def test_there_is_no_cohort_before_one_is_mature_and_the_cohorts_are_those_of_a_lake(late: World) -> None:
    assert seen(late, BEFORE + late.lag - 1) is None
    assert seen(late, BEFORE + late.lag).rows["partition"].unique().tolist() == [late.days[BEFORE].key]
    found = seen(late, AT)
    assert (found.ages, found.mature, late.lag) == ((1, 2, 3, 4, 8), 4, 4)
    assert found.rows["partition"].unique().tolist() == [late.days[AT - age].key for age in range(12, 3, -1)]
    assert found.rows.groupby("partition")["looked"].first().tolist() == [8] * 5 + [4] * 4


def test_a_label_has_the_age_at_which_it_was_first_there_and_what_came_later_is_not_seen(late: World) -> None:
    rows, own = seen(late, AT).rows, span(AT - 12, AT - 4)
    took = late.arrives[own] - np.repeat(np.arange(AT - 12, AT - 3), PER_DAY)
    expected = np.where(took <= 4, 4, np.where((took <= 8) & (rows["looked"] == 8), 8, np.nan))
    assert np.array_equal(rows["age"], expected, equal_nan=True)
    assert np.array_equal(rows["label"], np.where(np.isnan(expected), np.nan, late.came_true[own]), equal_nan=True)


def test_rows_that_another_model_scored_have_no_score_of_the_champion(late: World) -> None:
    rows = seen(late, AT, relieved=AT - 6).rows
    assert rows["score"].notna().sum() == 3 * PER_DAY


def test_late_positives_are_weighed_and_labels_that_all_come_are_not(late: World) -> None:
    found = seen(late, AT)
    assert missing(found) == pytest.approx(0.4 * late.came_true[span(AT - 12, AT - 4)].mean(), abs=0.02)
    assert weighing(use_case(), found).outcome is not None
    calm = seen(draw(SCENARIOS["stationary"], 3), AT)
    assert calm.complete
    assert weighing(use_case(), calm) is AS_THEY_ARE


def test_an_outage_that_is_over_makes_no_label_later_than_another() -> None:
    dark = draw(SCENARIOS["label_outage"], 3)
    for at in range(dark.actionable, dark.actionable + 45):
        found = seen(dark, at)
        assert missing(found) == 0.0
        assert not weighing(use_case(), found).needed


@pytest.mark.slow
def test_positives_that_are_late_look_like_lost_calibration_only_to_who_does_not_know_of_them() -> None:
    late = draw(SCENARIOS["late_positives"], 200)
    champion = Trainings().at(late, BEFORE)
    assert champion is not None
    by = dict.fromkeys(range(BEFORE, BEFORE + 81), champion)
    scores = np.concatenate([champion.scores(late, day) for day in range(len(late.days))])
    looks = [window(Moment(late, day, champion, by, scores, (BEFORE,))) for day in (BEFORE + 56, BEFORE + 80)]
    told, blind = (
        [next(iter(calibration.measure(look))) for look in of]
        for of in (looks, [replace(look, arrivals=None, memo={}) for look in looks])
    )
    assert [one.status for one in blind] == ["drifted", "drifted"]
    assert [one.status for one in told] == ["unknown", "unknown"]
    assert all(one.reason.endswith("of the labels are missing, and could explain it") for one in told)

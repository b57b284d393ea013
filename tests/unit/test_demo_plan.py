from pathlib import Path

import pytest

from updraft.demo.plan import FULL, SHORT
from updraft.partition import calendar
from updraft.spec import load

CASE = load.load("flight_delays", Path(__file__).parents[2] / "include" / "use_cases")
DATES = calendar(CASE)
PLANS = [pytest.param(FULL, id="full"), pytest.param(SHORT, id="short")]


@pytest.mark.parametrize("plan", PLANS)
def test_its_spans_follow_one_another_without_a_hole(plan):
    spans = [plan.history, plan.catch_up, plan.daily]
    days = [key for first, last in spans for key in DATES.keys(first, last)]
    assert days == DATES.keys(plan.history[0], plan.daily[1])


@pytest.mark.parametrize("plan", PLANS)
def test_it_begins_with_the_use_case_and_ends_within_it(plan):
    assert plan.history[0] == CASE.partitions.first
    assert plan.daily[1] <= CASE.partitions.last


@pytest.mark.parametrize("plan", PLANS)
def test_the_first_training_stands_at_the_end_of_the_history_and_has_enough_of_it(plan):
    at = DATES.at(plan.first_training)
    assert at.key == plan.history[1]
    mature = DATES.keys(plan.history[0], DATES.last_mature(at.as_of).key)
    settings = CASE.model
    assert len(mature) > settings.holdout + settings.validation + 2 * settings.gap


@pytest.mark.parametrize("plan", PLANS)
def test_the_broken_delivery_comes_in_the_daily_part(plan):
    assert {plan.corrupt, plan.renamed, plan.corrected} <= set(DATES.keys(*plan.daily))


def test_the_full_one_lasts_long_enough_for_an_incident_and_the_short_one_for_a_few_days():
    assert len(DATES.keys(*FULL.daily)) >= CASE.monitor.window + CASE.monitor.of
    assert 2 <= len(DATES.keys(*SHORT.daily)) <= 5

"""What lives of many seeds add up to."""

import math

import pytest

from updraft.simulation.chart import chart
from updraft.simulation.life import Life
from updraft.simulation.policy import CONTROLLER
from updraft.simulation.summary import demands, markdown, mean, share, summarise, watched


def life(scenario: str, policy: str, seed: int, lost: float, *days: int) -> Life:
    return Life(scenario, policy, seed, 1.0, tuple((day, "because") for day in days), (), lost, 200, 204)


LIVES = [
    life("abrupt_drift", "never", 1, 0.09),
    life("abrupt_drift", CONTROLLER, 1, 0.05, 207),
    life("abrupt_drift", CONTROLLER, 2, 0.03, 100, 230),
    life("abrupt_drift", "never", 2, 0.06),
    life("stationary", CONTROLLER, 1, 0.001),
]


def test_lines_come_in_order_and_pair_worlds() -> None:
    lines = summarise(LIVES)
    assert [(line.scenario, line.policy, line.seeds) for line in lines] == [
        ("stationary", CONTROLLER, 1), ("abrupt_drift", CONTROLLER, 2), ("abrupt_drift", "never", 2),
    ]  # fmt: skip
    calm, acted, never = lines
    assert (acted.soon and acted.soon.value, acted.delay, acted.false.value) == (0.5, 14.5, 0.5)
    assert never.behind.value == pytest.approx(-35)
    assert never.behind.low < -35 < never.behind.high
    assert (never.delay, calm.soon, calm.delay) == (math.inf, None, None)


def test_a_single_seed_has_no_interval() -> None:
    found = mean([2.0])
    assert found.value == 2.0
    assert math.isnan(found.low)


def test_a_share_of_all_is_not_certain() -> None:
    assert share(10, 10).low < 0.75


def test_demands_say_what_was_found() -> None:
    said = {demand.says: demand.met for demand in demands(summarise(LIVES))}
    assert said == {
        "fewer than one false training per stationary year": True,
        "abrupt drift acted upon within 5 partitions of label maturity in 95 % of seeds": False,
        "abrupt_drift: worth at least what the best naive policy is, within noise": True,
    }


@pytest.mark.parametrize(
    ("lost", "met"),
    [
        pytest.param((0.05, 0.05, 0.05), True, id="equal"),
        pytest.param((0.07, 0.075, 0.07), False, id="behind in every seed"),
        pytest.param((0.05, 0.03, 0.08), True, id="within noise"),
    ],
)
def test_a_value_behind_the_best_naive_policy_counts_beyond_noise(lost: tuple[float, ...], met: bool) -> None:
    lives = [life("gradual_drift", CONTROLLER, seed, value, 210) for seed, value in enumerate(lost)]
    lives += [life("gradual_drift", "always", seed, 0.05 - 0.001 * seed, 210) for seed in range(3)]
    lives += [life("gradual_drift", "never", seed, 0.2) for seed in range(3)]
    lives += [life("gradual_drift", "always_gated", seed, 0.01) for seed in range(3)]
    assert [demand.met for demand in demands(summarise(lives))] == [met]


def test_the_table_names_demands_that_are_not_met() -> None:
    said = markdown(summarise(LIVES))
    assert "| abrupt_drift | never | 0.0 |" in said
    assert "| NO |" in said
    assert "nan" not in said


def test_alarms_incidents_and_trainings_are_counted_by_kind_and_year() -> None:
    calm = life("stationary", CONTROLLER, 1, 0.001)
    asked = (90, "calibration: in 2 of the last 5"), (99, "follow_up: the champion rose on performance")
    acted = Life("stationary", CONTROLLER, 2, 1.0, asked, (), 0.0, 200, 204, {"calibration": 3}, {"calibration": 1})
    said = watched([calm, acted, life("stationary", "never", 1, 0.0)])
    assert "| stationary | calibration | 1.50 | 0.50 | 0.50 |" in said
    assert "| stationary | follow_up | 0.00 | 0.00 | 0.50 |" in said
    assert "performance |" not in said


def test_the_chart_is_a_picture() -> None:
    assert chart(summarise(LIVES)).startswith(b"\x89PNG")

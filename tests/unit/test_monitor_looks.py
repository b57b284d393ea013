import numpy as np
import pytest

from updraft.monitor.drift import SHARED
from updraft.monitor.looks import Look, judged, scaled

DAY = "2013-04-08"


def look(name, value, chance, *, effect=0.2):
    return Look("feature_psi", name, value, effect, chance, lambda alpha: 0.3 * (SHARED / alpha), 1000, "PSI")


@pytest.mark.parametrize(
    ("value", "chance", "status"),
    [
        pytest.param(0.5, 1e-9, "drifted", id="large and sure"),
        pytest.param(0.5, 0.2, "ok", id="large, and chance does as much"),
        pytest.param(0.1, 1e-9, "ok", id="sure, and too small to matter"),
        pytest.param(0.1, 0.5, "ok", id="neither"),
    ],
)
def test_drift_needs_effect_and_significance(value, chance, status):
    (found,) = judged(DAY, [look("temp", value, chance)])
    assert (found.status, found.value, found.n, found.subject) == (status, value, 1000, "temp")


def test_nothing_looked_at_is_nothing_found():
    assert judged(DAY, []) == []


def test_looks_share_the_rate_of_false_discoveries():
    alone = judged(DAY, [look("a", 9.0, 0.0006)])
    crowd = judged(DAY, [look("a", 9.0, 0.0006), *(look(f"b{n}", 9.0, 0.9) for n in range(9))])
    many = judged(DAY, [*(look(f"a{n}", 9.0, 0.0006) for n in range(6)), *(look(f"b{n}", 9.0, 0.9) for n in range(4))])
    assert [alone[0].status, crowd[0].status, many[0].status] == ["drifted", "ok", "drifted"]
    assert crowd[0].limit > many[0].limit > alone[0].limit, "what others show lowers the bar"


def test_a_whole_look_at_an_unmoved_partition_rarely_alarms():
    random = np.random.default_rng(1)
    alarms = [
        any(m.status == "drifted" for m in judged(DAY, [look(str(n), 9.0, random.random()) for n in range(40)]))
        for _ in range(400)
    ]
    assert sum(alarms) <= 4  # a sixth of 1 % of 400 gives more than 4 once in 1,600 times


def test_a_limit_is_what_matters_or_what_chance_can_do():
    found = judged(DAY, [look("a", 0.5, 1e-9), look("b", 0.5, 1e-9, effect=0.9)])
    assert [m.limit for m in found] == [0.3, 0.9]
    assert found[0].reason == "PSI 0.5 reaches its limit 0.3"


def test_a_limit_is_told_in_the_unit_of_its_value():
    assert scaled(0.2, 0.1)(0.4) == pytest.approx(0.8)
    assert scaled(0.2, 0.1, 0.5)(0.4) == pytest.approx(0.4)
    assert scaled(0.0, 0.0)(0.4) == 0.4

import json

import numpy as np
import pytest

from updraft.spec.prediction import Value
from updraft.train.worth import worth

VALUE = Value(true_positive=3.0, false_positive=-1.0, false_negative=0.0)
DAYS = np.array(["a", "a", "b", "b"])


def test_the_value_of_a_threshold_is_the_mean_over_the_rows_acted_upon():
    found = worth(VALUE, np.array([1.0, 0.0, 1.0, 0.0]), np.array([0.9, 0.5, 0.2, 0.1]), DAYS)
    at = dict(zip(found.thresholds.tolist(), found.values.tolist(), strict=True))
    assert at[0.05] == (3 - 1 + 3 - 1) / 4, "acted on all"
    assert at[0.15] == (3 - 1 + 3) / 4
    assert at[0.25] == found.declared[1] == (3 - 1) / 4
    assert at[0.6] == 3 / 4
    assert at[0.95] == 0, "acted on none"
    assert found.declared[0] == VALUE.threshold == 0.25
    assert found.best == (0.11, 1.25)


def test_the_bounds_hold_the_truth_as_often_as_they_say():
    draw, hits, truth = np.random.default_rng(3), 0, []
    for _ in range(300):
        luck = draw.normal(0, 0.5, 20)
        days = np.repeat(np.arange(20), 50)
        p = 1 / (1 + np.exp(-(draw.normal(-1, 1, 1000) + luck[days])))
        found = worth(VALUE, (draw.random(1000) < p).astype(float), p, days.astype(str))
        truth.append(found.declared[1:])
    mean = np.mean([value for value, *_ in truth])
    hits = sum(low <= mean <= high for _, low, high in truth)
    assert hits / 300 == pytest.approx(0.95, abs=0.03)


def test_true_probabilities_leave_the_threshold_alone_and_false_ones_are_told_of():
    draw = np.random.default_rng(5)
    p = draw.random(20_000)
    y, days = (draw.random(20_000) < p).astype(float), np.repeat([f"d{n:02}" for n in range(20)], 1000)
    true, false = worth(VALUE, y, p, days), worth(VALUE, y, p**4, days)
    assert true.regret[0] < 0.003
    assert true.best[0] == pytest.approx(0.25, abs=0.06)
    assert false.best[0] < 0.05
    assert false.regret[0] > 5 * false.regret[1]
    assert "the probabilities may be off" in false.notes[0]


def test_one_partition_has_a_value_but_no_bounds():
    found = worth(VALUE, np.array([1.0, 0.0]), np.array([0.9, 0.1]), np.array(["a", "a"]))
    assert found.numbers() == {"value": 1.5}
    assert found.notes == ()
    plain = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert plain["declared"] == [0.25, 1.5, None, None]
    assert set(plain["low"]) == {None}

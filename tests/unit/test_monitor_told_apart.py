import numpy as np
import pandas as pd
import pytest

from updraft.model.encoder import Encoder
from updraft.monitor.told_apart import ROWS, RUNS, effect, runs, sample, told_apart, usual

FEATURES = (("a", "number"), ("b", "number"), ("c", "category"))
DAYS = [str(day.date()) for day in pd.date_range("2013-01-01", periods=6 * 7)]


def rows(days, seed, *, together=0.0, per_day=40, sway=0.0, moved=0.0):
    """Rows whose `a` and `b` have a correlation of `together`, and whose days sway."""
    random = np.random.default_rng(seed)
    size = per_day * len(days)
    a, rest = random.normal(size=(2, size))
    day = np.repeat(random.normal(0, sway, len(days)) if sway else np.zeros(len(days)), per_day)
    return pd.DataFrame(
        {
            "partition": np.repeat(days, per_day),
            "a": a + day + moved,
            "b": together * a + np.sqrt(1 - together**2) * rest,
            "c": random.choice(["x", "y"], size),
        }
    )


def told(seed, **how):
    sway = {"sway": how.get("sway", 0.0)}
    reference = rows(DAYS, seed, **sway).assign(run=lambda f: f["partition"].map(DAYS.index) // 7)
    encoder = Encoder.fit(reference, FEATURES)
    return told_apart(encoder, reference, rows([f"2013-07-0{n}" for n in range(1, 8)], seed + 1000, **how), 0.005)


def test_what_was_kept_of_the_reference_need_not_be_found_again():
    reference = rows(DAYS, 3).assign(run=lambda f: f["partition"].map(DAYS.index) // 7)
    encoder = Encoder.fit(reference, FEATURES)
    kept = usual(encoder, reference)
    now = rows([f"2013-07-0{n}" for n in range(1, 8)], 1)
    assert told_apart(encoder, reference, now, 0.005, known=kept) == told_apart(encoder, reference, now, 0.005)


def test_a_reference_of_a_single_run_tells_nothing_of_what_is_usual():
    alone = rows(DAYS[:7], 3).assign(run=0)
    assert usual(Encoder.fit(alone, FEATURES), alone) == ()


def test_a_window_that_did_not_move_is_not_told_apart():
    found = told(1)
    assert found.auc.low < 0.5 < found.auc.high
    assert found.auc.value < found.limit(0.01)
    assert len(found.usual) == 6


def test_what_no_feature_shows_alone_is_seen():
    found = told(2, together=0.9)
    assert found.auc.low > found.limit(0.01)
    assert set(found.by[:2]) == {"a", "b"}


def test_days_that_differ_raise_the_bar():
    assert told(3, sway=1.0).limit(0.01) > told(3).limit(0.01)
    far = told(4, sway=0.3, moved=3.0)
    assert far.auc.value > far.limit(0.01)


def test_a_feature_it_may_not_see_tells_it_nothing():
    reference = rows(DAYS, 5).assign(run=lambda f: f["partition"].map(DAYS.index) // 7)
    encoder = Encoder.fit(reference, FEATURES)
    found = told_apart(encoder, reference, rows(["2013-07-01", "2013-07-02"], 6, moved=5.0), 0.005, without={"a"})
    assert "a" not in found.by
    assert found.auc.value < 0.6


def test_the_same_rows_give_the_same_answer():
    assert told(7, sway=0.5) == told(7, sway=0.5)


@pytest.mark.slow
def test_windows_that_did_not_move_are_rarely_alarming():
    found = [told(seed, sway=0.4, per_day=20) for seed in range(40)]
    assert sum(f.auc.value >= max(f.limit(0.01), effect(0.2)) for f in found) <= 3


@pytest.mark.parametrize(
    ("partitions", "width", "expected"),
    [
        pytest.param(5, 2, [["b", "c"], ["d", "e"]], id="the oldest is left over"),
        pytest.param(1, 2, [], id="too short for one"),
        pytest.param(3, 1, [["a"], ["b"], ["c"]], id="single partitions"),
    ],
)
def test_runs_are_whole_and_the_newest_is_among_them(partitions, width, expected):
    assert runs("abcde"[:partitions], width) == expected


def test_runs_are_few_and_spread_however_long_the_history():
    many = runs([f"{n:03}" for n in range(700)], 7)
    assert len(many) == RUNS
    assert (many[0][0], many[-1][-1]) == ("000", "699")


def test_a_sample_is_small_and_always_the_same():
    frame = pd.DataFrame({"n": range(5000)})
    assert len(sample(frame)) == ROWS
    assert sample(frame).equals(sample(frame.copy()))
    assert sample(frame.head(3)).equals(frame.head(3))

import numpy as np
import pandas as pd
import pytest

from updraft.model.encoder import Encoder
from updraft.train import boosted, logistic
from updraft.train.choice import losses
from updraft.train.fold import Fold, Window
from updraft.train.selection import Evidence, Selection, select

DAYS = [f"d{day:02}" for day in range(12)]


def folds(columns):
    """Two folds of one truth: `a` and `b` count, whatever else there is does not."""
    return [fold(columns, seed) for seed in (1, 2)]


def fold(columns, seed):
    draw = np.random.default_rng(seed)
    frame = pd.DataFrame({"partition": np.repeat(DAYS, 100)} | {name: draw.normal(size=1200) for name in "abcd"})
    frame["copy of a"] = frame["a"] + draw.normal(0, 0.01, 1200)
    frame["late"] = (draw.random(1200) < 1 / (1 + np.exp(-(1.2 * frame["a"] - 0.8 * frame["b"])))).astype(float)
    encoder = Encoder(tuple((name, "number") for name in columns), {})
    parts = [frame[frame["partition"] < "d06"], frame[frame["partition"] >= "d06"]]
    return Fold(encoder, *(Window(p, encoder.matrix(p), p["late"].to_numpy()) for p in parts))


@pytest.fixture
def fit(make_case):
    settings = make_case(model={"lightgbm": {"rounds": 20, "leaves": 4, "min_leaf_rows": 20}}).model

    def fit(family, fold):
        how = (fold.encoder, fold.training.matrix, fold.training.labels)
        return logistic.fit(*how) if family == "logistic" else boosted.fit(*how, settings)

    return fit


def lose(fitted, window):
    raw = fitted.learner.log_odds(window.matrix)
    return losses(window.labels, 1 / (1 + np.exp(-raw)), window.rows["partition"])


FAMILIES = ["logistic", "lightgbm"]


def test_what_no_family_misses_is_left_out_with_the_evidence(fit):
    found = select(folds("abcd"), FAMILIES, fit, lose, seed=1)
    assert set(found.dropped) <= {"c", "d"}
    assert found.dropped
    for family in FAMILIES:
        assert found.evidence[family]["a"].rise > 10 * found.evidence[family]["a"].error
        assert all(found.evidence[family][name].useless for name in found.dropped)
    assert found.notes[0].startswith(f"left out {found.dropped[0]}: shuffled, log loss rose by ")
    assert "for logistic" in found.notes[0]
    assert "for lightgbm" in found.notes[0]
    assert found.to_json()["dropped"] == list(found.dropped)


def test_of_two_copies_one_stays(fit):
    found = select(folds(["a", "copy of a", "b"]), FAMILIES, fit, lose, seed=1)
    assert not {"a", "copy of a"} <= set(found.dropped)
    assert "b" not in found.dropped


def test_at_least_one_feature_stays(fit):
    assert len(select(folds("cd"), ["logistic"], fit, lose, seed=1).dropped) <= 1
    assert select(folds("c"), ["logistic"], fit, lose, seed=1).dropped == ()


def test_the_same_seed_leaves_out_the_same(fit):
    assert select(folds("abcd"), FAMILIES, fit, lose, seed=4) == select(folds("abcd"), FAMILIES, fit, lose, seed=4)


@pytest.mark.parametrize(("rise", "error", "useless"), [(0.0, 0.0, True), (0.1, 0.1, True), (0.2, 0.1, False)])
def test_a_feature_is_useless_when_chance_explains_the_rise(rise, error, useless):
    assert Evidence(rise, error).useless is useless


def test_nothing_selected_is_nothing_said():
    assert Selection().notes == ()
    assert Selection().to_json() == {"dropped": [], "evidence": {}}

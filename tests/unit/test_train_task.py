"""What the spec asks of a learner reaches it: the kind of label and the weights of rows; and what it does with them."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from updraft.model.boosted import Boosted
from updraft.model.constant import Constant
from updraft.model.encoder import Encoder
from updraft.model.linear import Multinomial, Ridge
from updraft.spec.model import Booster, Model
from updraft.train import boosted, logistic, ridge, trivial
from updraft.train.calibrate import calibrate
from updraft.train.measure import measure
from updraft.train.task import BINARY, Task, weights

FEATURES = (("x", "number"), ("c", "category"), ("z", "number"))
SETTINGS = Model(threads=1, lightgbm=Booster(rounds=30, leaves=4, min_leaf_rows=10))
SEVERAL, NUMBER = Task("multiclass", 3), Task("regression", 0)
FIT = {
    "logistic": lambda rows, labels, task: logistic.fit(*rows, labels, task),
    "ridge": lambda rows, labels, task: ridge.fit(*rows, labels, task),
    "lightgbm": lambda rows, labels, task: boosted.fit(*rows, labels, SETTINGS, task),
}


def drawn(rows=900, seed=4):
    """Training rows as the learners take them, and what `x` and `c` add up to."""
    draw = np.random.default_rng(seed)
    missing = draw.random(rows) < 0.05
    frame = pd.DataFrame(
        {
            "x": np.where(missing, np.nan, draw.normal(size=rows)),
            "c": pd.Series(draw.choice(["a", "b", None], rows), dtype=object),
            "z": draw.normal(size=rows),
        }
    )
    truth = frame["x"].fillna(0).to_numpy() + (frame["c"] == "a").to_numpy() - 0.5
    encoder = Encoder.fit(frame, FEATURES)
    return (encoder, encoder.matrix(frame)), truth, draw


def classes(truth, draw):
    scores = np.column_stack([-truth, np.zeros(len(truth)), 2 * truth]) + draw.gumbel(size=(len(truth), 3))
    return scores.argmax(axis=1).astype(float)


@pytest.mark.parametrize("family", ["logistic", "lightgbm"])
def test_several_classes_are_learnt_with_exact_contributions(family):
    rows, truth, draw = drawn()
    labels = classes(truth, draw)
    learner = FIT[family](rows, labels, SEVERAL).learner
    raw = learner.log_odds(rows[1])
    assert raw.shape == (900, 3)
    assert learner.contributions(rows[1]).sum(axis=2) == pytest.approx(raw, abs=1e-8)
    calibrated, notes = calibrate("multiclass", raw, labels)
    p = calibrated.probability(raw)
    base = trivial.fit(labels, SEVERAL).learner.log_odds(rows[1])
    assert measure(labels, p, "multiclass")["log_loss"] < measure(labels, np.exp(base), "multiclass")["log_loss"] - 0.1
    assert (notes, np.exp(base).sum(axis=1)) == ((), pytest.approx(np.ones(900)))


@pytest.mark.parametrize("family", ["ridge", "lightgbm"])
def test_a_number_is_learnt_with_exact_contributions(family):
    rows, truth, draw = drawn()
    labels = 100 + 10 * truth + draw.normal(size=len(truth))
    learner = FIT[family](rows, labels, NUMBER).learner
    predicted = learner.log_odds(rows[1])
    assert learner.contributions(rows[1]).sum(axis=1) == pytest.approx(predicted)
    assert measure(labels, predicted, "regression")["r2"] > 0.8
    assert trivial.fit(labels, NUMBER).learner == Constant(float(labels.mean()))


def test_ridge_is_the_solution_of_the_normal_equations():
    rows, truth, draw = drawn(200)
    labels = truth + draw.normal(size=200)
    learner = ridge.fit(*rows, labels, NUMBER).learner
    from updraft.train.design import Design

    design = Design.of(*rows)
    x = design.columns.toarray() - design.columns.toarray().mean(axis=0)
    exact = np.linalg.solve(x.T @ x + np.eye(x.shape[1]), x.T @ (labels - labels.mean()))
    whole = learner.log_odds(rows[1])
    assert whole == pytest.approx(labels.mean() + x @ exact, abs=1e-6)


@pytest.mark.parametrize(
    ("learner", "kind"),
    [
        pytest.param(lambda rows, y: logistic.fit(*rows, y, SEVERAL).learner, Multinomial, id="multinomial"),
        pytest.param(lambda rows, y: ridge.fit(*rows, y, NUMBER).learner, Ridge, id="ridge"),
        pytest.param(lambda rows, y: boosted.fit(*rows, y, SETTINGS, SEVERAL).learner, Boosted, id="trees"),
        pytest.param(lambda rows, y: trivial.fit(y, SEVERAL).learner, Constant, id="rates"),
    ],
)
def test_what_is_written_reads_back_equal(learner, kind):
    rows, truth, draw = drawn()
    found = learner(rows, classes(truth, draw))
    again = kind.parse(found.dump())
    assert type(found) is kind
    assert again.dump() == found.dump()
    assert (again.log_odds(rows[1]) == found.log_odds(rows[1])).all()
    assert again.log_odds(rows[1][:0]).shape == (0, *found.log_odds(rows[1]).shape[1:])


# ---- weights -----------------------------------------------------------------------------------------------------


def weighed(make_case, labels, partitions, **model):
    return weights(make_case(model=model), pd.DataFrame({"partition": partitions}), np.array(labels, float))


def test_nothing_asked_for_is_no_weight_and_nothing_in_the_manifest(make_case):
    assert weighed(make_case, [0, 1], ["2024-01-01"] * 2) is None
    frame = pd.DataFrame({"partition": ["2024-01-01"] * 2})
    assert Task.of(make_case(), frame, np.array([0.0, 1.0])) == BINARY
    assert BINARY.parameters() == {}


def test_balanced_classes_weigh_the_same_and_a_row_weighs_one_on_average(make_case):
    found = weighed(make_case, [0, 0, 0, 1], ["2024-01-01"] * 4, class_weight="balanced")
    assert found == pytest.approx([2 / 3, 2 / 3, 2 / 3, 2])


def test_a_row_a_half_life_older_weighs_half(make_case):
    days = ["2024-01-01", "2024-01-06", "2024-01-11"]
    found = weighed(make_case, [0, 0, 1], days, recency_half_life="5d")
    assert found / found[-1] == pytest.approx([0.25, 0.5, 1.0])
    both = weighed(make_case, [0, 0, 1], days, recency_half_life="5d", class_weight="balanced")
    assert both[:2].sum() == pytest.approx(both[2])
    assert both[0] * 2 == pytest.approx(both[1])


def test_what_was_asked_for_is_in_the_manifest(make_case):
    case = make_case(
        model={"class_weight": "balanced", "recency_half_life": "5d"},
        features={"amount": {"type": "number", "monotone": "decreasing"}},
    )
    task = Task.of(case, pd.DataFrame({"partition": ["2024-01-01"] * 2}), np.array([0.0, 1.0]))
    said = {"class_weight": "balanced", "recency_half_life_hours": 120.0, "monotone_amount": -1}
    assert task.parameters() == said


@pytest.mark.parametrize("family", ["logistic", "lightgbm"])
def test_weighing_a_rare_class_shifts_the_scores_and_calibration_shifts_them_back(family):
    rows, truth, draw = drawn(4000)
    labels = (draw.random(4000) < 1 / (1 + np.exp(3 - 1.5 * truth))).astype(float)
    each = np.where(labels == 1, 0.5 / labels.mean(), 0.5 / (1 - labels.mean()))
    fitted = FIT[family](rows, labels, replace(BINARY, weights=each))
    raw = fitted.learner.log_odds(rows[1])
    shifted = 1 / (1 + np.exp(-raw))
    calibrated = calibrate("binary", raw, labels)[0].probability(raw)
    assert shifted.mean() > 3 * labels.mean()
    assert calibrated.mean() == pytest.approx(labels.mean(), rel=0.02)


def test_rows_that_weigh_nothing_might_as_well_not_be_there():
    rows, truth, draw = drawn()
    labels = truth + draw.normal(size=900)
    labels[:450] += 100
    each = np.where(np.arange(900) < 450, 1e-9, 1.0)
    found = ridge.fit(*rows, labels, replace(NUMBER, weights=each)).learner.log_odds(rows[1])
    assert found.mean() == pytest.approx(truth.mean(), abs=0.3)

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from threadpoolctl import threadpool_limits

from updraft.model.encoder import Encoder
from updraft.model.linear import Category, Number
from updraft.train import logistic

FEATURES = (("full", "number"), ("holes", "number"), ("flat", "number"), ("gone", "number"), ("c", "category"))


def data(rows=3000):
    draw = np.random.default_rng(5)
    frame = pd.DataFrame(
        {
            "full": draw.normal(3, 2, rows),
            "holes": np.where(draw.random(rows) < 0.2, np.nan, draw.normal(size=rows)),
            "flat": 4.0,
            "gone": np.nan,
            "c": pd.Series(draw.choice(["a", "b", None], rows), dtype=object),
        }
    )
    score = 0.8 * (frame["full"] - 3) + frame["holes"].isna() + (frame["c"] == "a") - 1
    return frame, (draw.random(rows) < 1 / (1 + np.exp(-score))).astype(float).to_numpy()


@pytest.fixture(scope="module")
def fitted():
    frame, labels = data()
    encoder = Encoder.fit(frame, FEATURES)
    return frame, labels, encoder, logistic.fit(encoder, encoder.matrix(frame), labels)


def test_it_agrees_with_a_pipeline_of_the_library(fitted):
    frame, labels, encoder, found = fitted
    numbers = make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler())
    steps = make_column_transformer((numbers, ["full", "holes"]), (OneHotEncoder(), ["c"]))
    library = make_pipeline(steps, LogisticRegression(C=100, max_iter=500)).fit(frame, labels)
    ours = found.learner.log_odds(encoder.matrix(frame))
    assert np.corrcoef(ours, library.decision_function(frame))[0, 1] > 0.999


def test_each_kind_of_column_gets_its_term(fitted):
    full, holes, flat, gone, category = fitted[3].learner.terms
    assert isinstance(full, Number)
    assert full.weight > 1
    assert full.missing == 0
    assert holes.missing > 0.5
    assert (flat.weight, flat.missing, gone.weight, gone.missing) == (0, 0, 0, 0)
    assert isinstance(category, Category)
    assert category.weights[0] > category.weights[1]
    assert category.weights[2] == 0, "no training row was `other`"


def test_contributions_average_to_zero_over_the_training_rows(fitted):
    frame, _, encoder, found = fitted
    shares = found.learner.contributions(encoder.matrix(frame))
    np.testing.assert_allclose(shares[:, :-1].mean(axis=0), 0, atol=1e-12)


def test_the_mean_probability_is_the_base_rate(fitted):
    frame, labels, encoder, found = fitted
    probabilities = 1 / (1 + np.exp(-found.learner.log_odds(encoder.matrix(frame))))
    assert probabilities.mean() == pytest.approx(labels.mean(), abs=1e-3)


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_the_bytes_do_not_depend_on_the_threads_of_the_numeric_libraries(fitted, threads):
    _, labels, encoder, found = fitted
    with threadpool_limits(threads):
        again = logistic.fit(encoder, encoder.matrix(fitted[0]), labels)
    assert again.learner.dump() == found.learner.dump()


def test_a_fit_that_needed_all_its_steps_says_so(fitted, monkeypatch):
    frame, labels, encoder, found = fitted
    assert found.notes == ()
    monkeypatch.setitem(logistic.STOP, "max_iter", 2)
    hurried = logistic.fit(encoder, encoder.matrix(frame), labels)
    assert hurried.notes == (
        "logistic regression had not converged after 2 steps: its weights are those of the last one",
    )
    assert hurried.parameters["iterations"] == 2


def test_absurd_values_leave_everything_finite():
    encoder = Encoder((("x", "number"),), {})
    matrix = np.array([[1e150], [-1e150], [0.0], [np.nan]] * 5)
    found = logistic.fit(encoder, matrix, np.array([1.0, 0.0, 0.0, 1.0] * 5))
    assert np.isfinite(found.learner.log_odds(matrix)).all()
    found.learner.dump()

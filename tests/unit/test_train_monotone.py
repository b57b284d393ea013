"""A number that may move a prediction only one way moves it only that way, in every family."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from updraft.model.encoder import Encoder
from updraft.spec.model import Booster, Model
from updraft.train import boosted, logistic, ridge
from updraft.train.design import Design
from updraft.train.monotone import Weights, fit
from updraft.train.task import BINARY, Task

FEATURES = (("x", "number"), ("c", "category"), ("z", "number"))
SETTINGS = Model(threads=1, lightgbm=Booster(rounds=30, leaves=4, min_leaf_rows=10))
FIT = {
    "logistic": lambda rows, labels, task: logistic.fit(*rows, labels, task),
    "ridge": lambda rows, labels, task: ridge.fit(*rows, labels, task),
    "lightgbm": lambda rows, labels, task: boosted.fit(*rows, labels, SETTINGS, task),
}


def drawn(rows=900):
    """Training rows as the learners take them, and labels that rise with `x` and have nothing to do with `z`."""
    draw = np.random.default_rng(4)
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
    return (encoder, encoder.matrix(frame)), truth + draw.normal(size=rows)


def steps(learner, rows, column):
    """How the prediction of every row changes as one number rises from its least to its greatest."""
    values = np.nanquantile(rows[1][:, column], np.linspace(0, 1, 15))
    moved = []
    for value in values:
        matrix = rows[1].copy()
        matrix[:, column] = value
        moved.append(learner.log_odds(matrix))
    return np.diff(np.array(moved), axis=0)


@pytest.mark.parametrize("family", ["logistic", "ridge", "lightgbm"])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_constrained_number_moves_every_prediction_one_way_only(family, sign):
    rows, truth = drawn()
    task = BINARY if family == "logistic" else Task("regression", 0)
    labels = (truth > 0).astype(float) if family == "logistic" else truth
    held = replace(task, monotone={"x": sign, "z": sign})
    free, found = FIT[family](rows, labels, task), FIT[family](rows, labels, held)
    assert (steps(found.learner, rows, 0) * sign >= 0).all()
    assert (steps(found.learner, rows, 2) * sign >= 0).all()
    assert (steps(free.learner, rows, 0) > 0).any(), "the rows say that it rises"
    noted = any(note.startswith("x has weight 0") for note in found.notes)
    assert noted is (sign == -1 and family != "lightgbm")
    assert found.parameters["monotone_x"] == sign


def test_what_goes_the_wrong_way_is_left_out_until_all_goes_the_right_way():
    rows, _ = drawn()
    design, asked = Design.of(*rows), []

    def solve(columns):
        """Without `x` it is `z` that turns the wrong way."""
        asked.append(columns.shape[1])
        found = np.ones((1, columns.shape[1]))
        found[0, 0 if len(asked) == 1 else -1] = -1.0
        return Weights(found, np.array([5.0]), steps=len(asked))

    found = fit(design, rows[0], Task(monotone={"x": 1, "z": 1}), solve)
    whole = design.columns.shape[1]
    assert asked == [whole, whole - 1, whole - 2]
    assert (found.weights[0, 0], found.weights[0, -1]) == (0, 0)
    assert [note.split()[0] for note in found.notes] == ["x", "z"]
    assert (found.intercepts[0], found.steps) == (5.0, 3)


def test_without_a_constraint_one_solution_is_all_there_is():
    rows, labels = drawn()
    free, held = (ridge.fit(*rows, labels, Task("regression", 0, monotone=signs)) for signs in ({}, {"x": 1}))
    assert free.learner == held.learner
    assert (free.notes, held.notes) == ((), ())

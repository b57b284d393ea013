"""Models of classes and numbers are loaded by the same closed set: parts that do not fit are refused."""

from dataclasses import replace

import numpy as np
import pytest
from tests.forged import DRAFT, FEATURES, ROWS, forge

from updraft.errors import ModelRejected
from updraft.model import Model, store
from updraft.model.as_is import AsIs
from updraft.model.calibration import Calibration
from updraft.model.constant import Constant
from updraft.model.encoder import Encoder
from updraft.model.golden import Golden
from updraft.model.linear import Category, Linear, Multinomial, Number, Ridge, Scaling
from updraft.model.softmax import Softmax

ENCODER = Encoder(FEATURES, {"c": ("a",)})
THREE = {"kind": "multiclass", "classes": ("a", "b", "c"), "act_on": ("b", "c"), "threshold": 0.25}
SOFTMAX = Softmax(0.5, (0.0, 0.1, -0.1))


def line(kind, weight=1.0):
    return kind(weight, (Number(Scaling(0.0, 0.0, 1.0), weight, 0.5, 0.0), Category((1.0, 0.0, -1.0), 0.0)))


def assemble(learner, calibration, **facts):
    draft = DRAFT.model_copy(update={"family": learner.family, **facts})
    return Model.assemble(draft, ENCODER, learner, calibration, ROWS)


def several(learner=None):
    return assemble(learner or Multinomial((line(Linear), line(Linear, -2.0), line(Linear, 0.5))), SOFTMAX, **THREE)


def number(learner=None):
    return assemble(learner or line(Ridge, 40.0), AsIs(), kind="regression", threshold=50.0)


@pytest.mark.parametrize(
    "model",
    [several(), several(Constant((-1.0, -1.5, -0.7))), number(), number(Constant(12.5))],
    ids=["multinomial", "rates", "ridge", "mean"],
)
def test_a_saved_model_loads_equal(lake, model):
    loaded = store.load(lake, "flights", store.save(lake, "flights", model))
    assert loaded == model
    assert loaded.predict(ROWS).tolist() == model.predict(ROWS).tolist()
    assert loaded.contributions(ROWS).tolist() == model.contributions(ROWS).tolist()


def test_some_classes_are_acted_on_together_and_the_likeliest_is_the_answer():
    model = several()
    p = np.array([[0.8, 0.1, 0.1], [0.7, 0.2, 0.1], [0.1, 0.0, 0.9]])
    assert model.acts(p).tolist() == [False, True, True]
    assert model.answers(p).tolist() == ["a", "a", "c"]
    assert number().acts(np.array([49.9, 50.0, np.nan])).tolist() == [False, True, False]
    assert number().answers(np.array([1.0])).tolist() == [1.0]


def test_the_manifest_of_a_binary_model_says_nothing_of_kinds():
    assert b'"kind"' not in DRAFT.dump()
    assert b'"act_on":["b","c"]' in several().manifest.dump()


def test_a_model_of_another_kind_or_other_classes_says_that_it_cannot_answer(make_case):
    case = make_case(problem={"kind": "multiclass", "act_on": ["b"]}, label={"classes": ["a", "b", "c"]})
    assert several().misfit(case) == ""
    assert several().misfit(make_case()) == "it learnt multiclass a b c, and the label is binary now"
    assert number().misfit(case) == "it learnt regression, and the label is multiclass a b c now"


@pytest.mark.parametrize(
    ("model", "said"),
    [
        pytest.param(
            replace(several(), manifest=several().manifest.model_copy(update={"kind": "ranking"})),
            "'ranking' is not a kind of problem; known: binary, multiclass, regression",
            id="an unknown kind",
        ),
        pytest.param(
            replace(number(), manifest=number().manifest.model_copy(update={"family": "logistic"})),
            "'logistic' is not a family of models; known: lightgbm, ridge, trivial",
            id="a family of another kind",
        ),
        pytest.param(
            replace(several(), manifest=several().manifest.model_copy(update={"classes": ("a", "b")})),
            "golden predictions of other classes",
            id="classes its predictions do not have",
        ),
        pytest.param(forge(several(), calibration=Calibration()), "cannot be read", id="Platt for several classes"),
        pytest.param(forge(number(), calibration=SOFTMAX), "cannot be read", id="softmax for a number"),
        pytest.param(forge(several(), calibration=Softmax(1.0, (0.0, 0.0))), "golden rows", id="too few intercepts"),
        pytest.param(forge(several(), learner=line(Linear)), "cannot be read", id="one score for several classes"),
        pytest.param(forge(number(Constant(1.5)), learner=Constant((1.0, 2.0))), "golden rows", id="several numbers"),
        pytest.param(
            forge(several(), golden=Golden(several().golden.rows[:2], ((0.5, 0.5, 0.0), (1.0,)))),
            "different numbers of classes",
            id="ragged golden rows",
        ),
        pytest.param(
            forge(several(), golden=Golden(several().golden.rows[:1], ((0.4, 0.3, 0.3),))),
            "misses its golden predictions",
            id="other golden predictions",
        ),
        pytest.param(
            forge(
                assemble(Constant(-1.5), Calibration(), threshold=0.25),
                learner=Constant((0.0, 1.0)),
                golden=several().golden,
            ),
            "golden predictions of other classes",
            id="several classes in a binary model",
        ),
    ],
)
def test_parts_of_another_kind_are_refused(lake, model, said):
    with pytest.raises(ModelRejected, match=said):
        store.load(lake, "flights", store.save(lake, "flights", model))

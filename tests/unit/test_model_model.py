import numpy as np
import pandas as pd
import pytest
from tests.forged import DRAFT

from updraft.errors import ModelRejected
from updraft.model import Model
from updraft.model.calibration import Calibration
from updraft.model.encoder import Encoder
from updraft.model.linear import Category, Linear, Number, Scaling

FEATURES = (("delay", "number"), ("speed", "number"), ("carrier", "category"))


def rows(**columns):
    given = {"delay": [0.0, 2.0, -4.0], "speed": [1.0, 0.0, np.nan], "carrier": ["AA", "UA", None], **columns}
    return pd.DataFrame(given).astype({"carrier": object})


@pytest.fixture(scope="module")
def model():
    plain = Scaling(0.0, 0.0, 1.0)
    numbers = (Number(plain, 1.0, 0.0, 0.0), Number(plain, 0.25, 0.0, 0.0))
    learner = Linear(0.5, (*numbers, Category((2.0, 0.0, 0.0), 0.0)))
    draft = DRAFT.model_copy(update={"family": "logistic", "features": FEATURES})
    encoder = Encoder(FEATURES, {"carrier": ("AA",)})
    return Model.assemble(draft, encoder, learner, Calibration(0.5, 0.1), rows())


def test_probabilities_are_the_calibrated_log_odds(model):
    raw = np.array([0.5 + 0.25 + 2.0, 0.5 + 2.0, 0.5 - 4.0])
    np.testing.assert_allclose(model.predict(rows()), 1 / (1 + np.exp(-(0.5 * raw + 0.1))))


def test_contributions_add_up_to_the_log_odds_of_the_probability(model):
    probability = model.predict(rows())
    total = model.contributions(rows()).sum(axis=1)
    np.testing.assert_allclose(total, np.log(probability / (1 - probability)))


def test_reasons_come_furthest_first_and_what_moved_nothing_is_no_reason(model):
    assert model.reasons(rows()) == [
        [("carrier", 1.0), ("speed", 0.125)],
        [("delay", 1.0)],
        [("delay", -2.0)],
    ]
    assert model.reasons(rows(), top=1)[0] == [("carrier", 1.0)]


def test_equal_reasons_keep_the_order_of_the_features(model):
    assert [name for name, _ in model.reasons(rows(delay=[2.0] * 3))[0]] == ["delay", "carrier", "speed"]


def test_no_rows_give_no_predictions(model):
    assert model.predict(rows()[:0]).tolist() == []
    assert model.reasons(rows()[:0]) == []


@pytest.mark.parametrize("fingerprint", ["f2", None, ["f1", "f1", "f2"]])
def test_rows_of_another_feature_definition_are_refused(model, fingerprint):
    with pytest.raises(ModelRejected, match="trained on feature definition f1"):
        model.predict(rows(fingerprint=fingerprint))


def test_rows_of_the_same_definition_or_without_one_are_scored(model):
    assert model.predict(rows(fingerprint="f1")).tolist() == model.predict(rows()).tolist()


@pytest.mark.parametrize("act", ["predict", "reasons", "contributions", "unseen"])
def test_missing_features_are_refused_before_anything_is_computed(model, act):
    with pytest.raises(ModelRejected, match=r"speed \(missing\)"):
        getattr(model, act)(rows().drop(columns="speed"))


def test_unseen_levels_are_told(model):
    assert model.unseen(rows()) == {"carrier": pytest.approx(1 / 3)}


def test_the_manifest_names_every_file(model):
    assert set(model.manifest.files) == {"encoder.json", "linear.json", "calibration.json", "golden.json"}
    assert (model.family, model.threshold, len(model.digest)) == ("logistic", 0.25, 64)

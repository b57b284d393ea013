import numpy as np
import pytest

from updraft.errors import TrainingRefused
from updraft.model.encoder import Encoder
from updraft.spec.model import Booster, Model
from updraft.train import boosted

ENCODER = Encoder((("x", "number"), ("c", "category")), {"c": ("a", "b", "d")})
SMALL = Booster(rounds=20, leaves=4, min_leaf_rows=10)


def data(rows=1500):
    draw = np.random.default_rng(7)
    matrix = np.column_stack([draw.normal(size=rows), draw.integers(0, 5, rows)])
    matrix[draw.random(rows) < 0.1, 0] = np.nan
    return matrix, ((matrix[:, 1] == 1) | (np.nan_to_num(matrix[:, 0]) > 1)).astype(float)


@pytest.mark.slow
@pytest.mark.parametrize("shares", [(1.0, 1.0), (0.6, 0.7)], ids=["everything", "sampled"])
def test_the_bytes_do_not_depend_on_the_threads(shares):
    settings = SMALL.model_copy(update={"feature_share": shares[0], "row_share": shares[1]})
    found = {boosted.fit(ENCODER, *data(), Model(threads=n, lightgbm=settings)).learner.dump() for n in (1, 2, 4)}
    assert len(found) == 1


@pytest.mark.slow
def test_the_bytes_depend_on_the_seed_where_rows_are_sampled():
    settings = SMALL.model_copy(update={"row_share": 0.5})
    found = {boosted.fit(ENCODER, *data(), Model(seed=seed, lightgbm=settings)).learner.dump() for seed in (1, 2)}
    assert len(found) == 2


def test_codes_are_split_as_categories_and_features_keep_their_names():
    text = boosted.fit(ENCODER, *data(), Model(lightgbm=SMALL)).learner.dump().decode()
    assert "feature_names=x c" in text
    assert "cat_threshold=" in text


def test_the_parameters_are_those_of_the_spec_without_the_threads():
    fitted = boosted.fit(ENCODER, *data(), Model(seed=3, threads=1, lightgbm=SMALL))
    assert fitted.parameters["rounds"] == 20
    assert (fitted.parameters["num_leaves"], fitted.parameters["seed"]) == (4, 3)
    assert not {"num_threads", "verbosity"} & set(fitted.parameters)


def test_it_learns():
    matrix, labels = data()
    log_odds = boosted.fit(ENCODER, matrix, labels, Model(lightgbm=SMALL)).learner.log_odds(matrix)
    assert ((log_odds > 0) == (labels == 1)).mean() > 0.98


def test_settings_the_library_refuses_are_refused_with_its_words():
    with pytest.raises(TrainingRefused, match="feature_fraction"):
        boosted.fit(ENCODER, *data(), Model(lightgbm=SMALL.model_copy(update={"feature_share": 0.0})))

import numpy as np
import pytest

from updraft.model.boosted import Boosted


@pytest.fixture(scope="module")
def booster():
    import lightgbm

    draw = np.random.default_rng(0)
    matrix = np.column_stack([draw.normal(size=400), draw.integers(0, 5, 400)])
    labels = (matrix[:, 0] + matrix[:, 1] > 2).astype(float)
    fixed = {"objective": "binary", "num_threads": 1, "verbosity": -1, "num_leaves": 5, "seed": 1}
    rows = lightgbm.Dataset(matrix, labels, feature_name=["a", "b"], categorical_feature=[1], params=fixed)
    return lightgbm.train(fixed, rows, num_boost_round=5)


MATRIX = np.array([[0.5, 1.0], [np.nan, 9.0], [-2.0, np.nan]])


def test_the_text_predicts_what_the_booster_did_bit_for_bit(booster):
    found = Boosted.of(booster, 1).log_odds(MATRIX)
    assert found.tolist() == booster.predict(MATRIX, raw_score=True, num_threads=1).tolist()


def test_the_text_does_not_tell_the_settings(booster):
    assert "num_threads" in booster.model_to_string()
    assert "num_threads" not in Boosted.of(booster, 1).text


def test_contributions_add_up_to_the_log_odds(booster):
    boosted = Boosted.of(booster, 1)
    np.testing.assert_allclose(boosted.contributions(MATRIX).sum(axis=1), boosted.log_odds(MATRIX), atol=1e-12)


def test_threads_change_nothing(booster):
    one, four = (Boosted.of(booster, threads).contributions(MATRIX) for threads in (1, 4))
    assert one.tolist() == four.tolist()


def test_no_rows_give_no_predictions(booster):
    boosted = Boosted.of(booster, 1)
    assert boosted.log_odds(MATRIX[:0]).shape == (0,)
    assert boosted.contributions(MATRIX[:0]).shape == (0, 3)


def test_what_is_written_reads_back_equal(booster):
    boosted = Boosted.of(booster, 2)
    assert Boosted.parse(boosted.dump(), 2) == boosted


def test_every_feature_has_a_gain(booster):
    assert (Boosted.of(booster, 1).gain() > 0).all()


def test_another_number_of_features_is_an_error(booster):
    with pytest.raises(ValueError, match="LightGBM cannot use these trees"):
        Boosted.of(booster, 1).log_odds(MATRIX[:, :1])

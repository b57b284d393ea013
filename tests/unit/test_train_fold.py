import numpy as np
import pandas as pd
import pytest

from updraft.train.fold import Fold, cut

DAYS = [f"2013-01-{day:02}" for day in range(1, 19)]
FEATURES = (("x", "number"), ("c", "category"))


def rows(per_day=30, keys=DAYS):
    count = len(keys) * per_day
    numbers = np.arange(count)
    return pd.DataFrame(
        {
            "partition": np.repeat(keys, per_day),
            "x": numbers.astype(float),
            "c": pd.Series(np.where(numbers % 2, "a", "b"), dtype=object),
            "late": (numbers % 3 == 0).astype(float),
        }
    )


@pytest.fixture
def told(make_case):
    def make(**model):
        sizes = {"validation": 3, "holdout": 3, "gap": 2, "folds": 3, "min_rows": 60, "min_positives": 2}
        features = {"x": {"type": "number"}, "c": {"type": "category"}}
        return make_case(partitions={"first": DAYS[0]}, features=features, model={**sizes, **model})

    return make


def last_days(window):
    return [int(key[-2:]) for key in sorted(set(window.rows["partition"]))]


def test_a_fold_is_encoded_by_its_own_training_rows_and_knows_the_window_after(told):
    data = rows()
    data.loc[data["partition"] == DAYS[7], "c"] = "new"
    older, newer = cut(told(folds=2), data)[0]
    fold = Fold.of(told(), FEATURES, data, older, newer)
    assert fold.encoder.levels == {"c": ("a", "b")}, "the level of the eighth came too late"
    assert (last_days(fold.training), last_days(fold.validation)) == ([1, 2, 3, 4, 5], [8, 9, 10])
    assert last_days(fold.later) == [13], "the labels of the tenth were not known when the eleventh was predicted"
    assert Fold.of(told(), FEATURES, data, newer, None).later is None
    assert fold.training.matrix.shape == (150, 2)
    assert fold.training.labels.sum() == 50


def test_a_window_after_that_is_shorter_than_the_gap_is_none(told):
    older, newer = cut(told(validation=2, folds=2), rows())[0]
    assert Fold.of(told(validation=2), FEATURES, rows(), older, newer).later is None


def test_a_feature_can_be_left_out_of_every_part(told):
    older, newer = cut(told(folds=2), rows())[0]
    fold = Fold.of(told(), FEATURES, rows(), older, newer).without({"c"})
    assert (fold.encoder.features, fold.encoder.levels) == ((("x", "number"),), {})
    windows = (fold.training, fold.validation, fold.later)
    assert [w.matrix.shape for w in windows] == [(150, 1), (90, 1), (30, 1)]
    for window in windows:
        assert fold.encoder.matrix(window.rows).tolist() == window.matrix.tolist()


def test_an_older_fold_that_is_not_enough_is_left_out_and_it_is_said(told):
    splits, notes = cut(told(min_rows=200), rows())
    assert [len(split.train) for split in splits] == [8]
    assert notes == ("1 of 3 folds: the history is not enough for more",)


def test_a_gap_too_short_for_the_labels_is_said(told):
    _, notes = cut(told(gap=1, folds=1), rows())
    assert notes == ("`model.gap` is 1, but the labels of 2 partitions are not known in time",)

import numpy as np
import pandas as pd
import pytest

from updraft.model.golden import ROWS, Golden

FEATURES = (("x", "number"), ("c", "category"))


def frame(rows):
    values = np.linspace(0, 1, rows)
    return pd.DataFrame({"x": values, "c": pd.Series(["a"] * rows, dtype=object), "key": range(rows)})


def predict(rows):
    return rows["x"].fillna(0.5).to_numpy()


@pytest.mark.parametrize(("rows", "chosen"), [(1, 1), (3, 3), (100, ROWS)])
def test_rows_are_chosen_over_the_whole_range_and_one_is_blank(rows, chosen):
    golden = Golden.choose(frame(rows), FEATURES, predict)
    assert len(golden.rows) == chosen + 1
    assert golden.rows[-1] == {"x": None, "c": None}
    assert golden.expected[0] == 0.0
    assert golden.expected[-2] == frame(rows)["x"].iloc[-1]


def test_only_features_are_kept():
    assert set(Golden.choose(frame(5), FEATURES, predict).rows[0]) == {"x", "c"}


def test_infinite_and_missing_values_are_stored_as_missing():
    rows = pd.DataFrame({"x": [np.inf], "c": pd.Series([np.nan], dtype=object)})
    assert Golden.choose(rows, FEATURES, lambda f: np.zeros(len(f))).rows[0] == {"x": None, "c": None}


@pytest.mark.parametrize(
    ("change", "same"),
    [
        pytest.param(lambda p: p, True, id="nothing"),
        pytest.param(lambda p: p + 1e-10, True, id="rounding"),
        pytest.param(lambda p: p + 1e-6, False, id="a millionth"),
        pytest.param(lambda p: p[::-1], False, id="order"),
        pytest.param(lambda p: p * np.nan, False, id="undefined"),
    ],
)
def test_the_distance_tells_another_model_from_rounding(change, same):
    golden = Golden.choose(frame(20), FEATURES, predict)
    assert (golden.worst(FEATURES, lambda rows: change(predict(rows))) <= 1) is same


def test_what_is_written_reads_back_equal():
    golden = Golden.choose(frame(20), FEATURES, predict)
    assert Golden.parse(golden.dump()) == golden

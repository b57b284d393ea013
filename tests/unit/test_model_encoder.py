import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from updraft.errors import ModelRejected
from updraft.model.encoder import LARGEST, MAX_LEVELS, MIN_LEVEL_ROWS, Encoder

FEATURES = (("delay", "number"), ("carrier", "category"))
ENCODER = Encoder(FEATURES, {"carrier": ("AA", "UA")})
OTHER, MISSING = 2.0, 3.0


def frame(delay, carrier):
    return pd.DataFrame({"delay": pd.Series(delay, dtype="float64"), "carrier": pd.Series(carrier, dtype=object)})


@pytest.mark.parametrize(
    ("level", "code"),
    [
        pytest.param("AA", 0.0, id="first level"),
        pytest.param("UA", 1.0, id="second level"),
        pytest.param("ZZ", OTHER, id="never seen"),
        pytest.param("aa", OTHER, id="case counts"),
        pytest.param("", OTHER, id="empty text is a level"),
        pytest.param("other", OTHER, id="the word other has no special meaning"),
        pytest.param(None, MISSING, id="None"),
        pytest.param(float("nan"), MISSING, id="nan"),
        pytest.param(pd.NA, MISSING, id="NA"),
    ],
)
def test_a_level_becomes_its_code(level, code):
    assert ENCODER.matrix(frame([0.0], [level]))[0, 1] == code


@pytest.mark.parametrize(
    ("value", "seen"),
    [
        pytest.param(1.5, 1.5, id="a number stays"),
        pytest.param(np.nan, np.nan, id="missing stays"),
        pytest.param(np.inf, np.nan, id="infinity is missing"),
        pytest.param(-np.inf, np.nan, id="negative infinity is missing"),
        pytest.param(1e308, np.nan, id="a number whose square overflows is missing"),
        pytest.param(LARGEST, LARGEST, id="the largest is kept"),
    ],
)
def test_a_number_is_itself_or_missing(value, seen):
    np.testing.assert_equal(ENCODER.matrix(frame([value], ["AA"]))[0, 0], seen)


def test_columns_are_found_by_name_in_any_order_and_others_are_ignored():
    rows = frame([1.0, 2.0], ["AA", "UA"])
    shuffled = rows.assign(extra="x")[["extra", "carrier", "delay"]]
    np.testing.assert_array_equal(ENCODER.matrix(shuffled), ENCODER.matrix(rows))


@pytest.mark.parametrize("dtype", ["object", "str", "string"])
def test_every_way_pandas_holds_text_gives_the_same_codes(dtype):
    rows = frame([0.0] * 3, ["UA", None, "ZZ"]).astype({"carrier": dtype})
    assert ENCODER.matrix(rows)[:, 1].tolist() == [1.0, MISSING, OTHER]


@pytest.mark.parametrize(
    ("rows", "named"),
    [
        pytest.param(frame([1.0], ["AA"]).drop(columns="delay"), "delay (missing)", id="column gone"),
        pytest.param(frame([1.0], ["AA"]).rename(columns={"delay": "Delay"}), "delay (missing)", id="renamed"),
        pytest.param(frame([1.0], ["AA"]).astype({"delay": "int64"}), "got int64", id="number as integer"),
        pytest.param(frame([1.0], ["AA"]).astype({"delay": "str"}), "got str", id="number as text"),
        pytest.param(frame([1.0], ["AA"]).astype({"delay": object}), "got object", id="number as objects"),
        pytest.param(frame([1.0], ["AA"]).astype({"carrier": "category"}), "got category", id="pandas category"),
        pytest.param(frame([1.0], ["AA"]).assign(carrier=1.0), "got float64", id="category as number"),
        pytest.param(frame([1.0, 1.0], ["AA", 7]), "other values among the text", id="number among text"),
        pytest.param(frame([1.0], ["\ud800"]), "other values among the text", id="lone surrogate"),
        pytest.param(pd.concat([frame([1.0], ["AA"])] * 2, axis=1), "delay (there 2 times)", id="twice"),
    ],
)
def test_a_frame_that_does_not_fit_is_refused_and_its_columns_named(rows, named):
    with pytest.raises(ModelRejected) as refused:
        ENCODER.matrix(rows)
    assert named in str(refused.value)


def test_only_the_first_ten_faults_are_listed():
    many = tuple((f"f{i:02}", "number") for i in range(12))
    with pytest.raises(ModelRejected, match=r"12 of 12 .*f09 \(missing\)\.") as refused:
        Encoder(many, {}).matrix(pd.DataFrame())
    assert "f10" not in str(refused.value)


def test_rare_levels_become_other_and_missing_is_no_level():
    seen = ["often"] * MIN_LEVEL_ROWS + ["rare"] * (MIN_LEVEL_ROWS - 1) + [None] * MIN_LEVEL_ROWS
    fitted = Encoder.fit(frame([0.0] * len(seen), seen), FEATURES)
    assert fitted.levels == {"carrier": ("often",)}
    assert fitted.categories == {1: 3}


def test_a_million_levels_keep_the_most_frequent_only():
    levels = [f"l{i:04}" for i in range(MAX_LEVELS + 50)]
    seen = np.repeat(levels, MIN_LEVEL_ROWS).tolist() + ["l0299"] * 5
    fitted = Encoder.fit(frame([0.0] * len(seen), seen), FEATURES)
    assert len(fitted.levels["carrier"]) == MAX_LEVELS
    assert {"l0000", "l0299"} <= set(fitted.levels["carrier"])


def test_the_share_of_unseen_levels_is_told_and_missing_is_not_unseen():
    assert ENCODER.unseen(frame([0.0] * 4, ["AA", "ZZ", None, "UA"])) == {"carrier": 0.25}
    assert np.isnan(ENCODER.unseen(frame([], []))["carrier"])


def test_no_rows_give_an_empty_matrix():
    assert ENCODER.matrix(frame([], [])).shape == (0, 2)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=3), max_size=5, unique=True))
@settings(max_examples=30, derandomize=True, deadline=None)
def test_what_is_written_reads_back_equal(levels):
    encoder = Encoder(FEATURES, {"carrier": tuple(levels)})
    assert Encoder.parse(encoder.dump()) == encoder
    codes = encoder.matrix(frame([0.0] * len(levels), levels))[:, 1]
    assert codes.tolist() == list(range(len(levels)))

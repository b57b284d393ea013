from collections import Counter

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from updraft.errors import TrainingRefused
from updraft.partition import calendar
from updraft.spec.model import Model
from updraft.train.split import belonging, boundaries, folds, settled, side, split


def days(count):
    return [f"2013-01-{day:02}" for day in range(1, count + 1)]


def numbers(keys):
    return [int(key[-2:]) for key in keys]


@pytest.mark.parametrize(
    ("count", "lengths", "train", "validation", "holdout"),
    [
        pytest.param(9, (2, 3, 1), [1, 2], [4, 5], [7, 8, 9], id="gaps"),
        pytest.param(8, (2, 3, 1), [1], [3, 4], [6, 7, 8], id="just enough"),
        pytest.param(6, (2, 3, 0), [1], [2, 3], [4, 5, 6], id="no gap"),
    ],
)
def test_the_newest_partitions_are_held_out_and_gaps_are_left(count, lengths, train, validation, holdout):
    sizes = dict(zip(("validation", "holdout", "gap"), lengths, strict=True))
    found = split(days(count), Model(**sizes))
    assert [numbers(keys) for keys in found.windows().values()] == [train, validation, holdout]


@pytest.mark.parametrize("count", [0, 1, 7])
def test_too_few_partitions_are_refused_with_both_numbers(count):
    with pytest.raises(TrainingRefused, match=rf"{count} mature partitions with labels, at least 8 are needed"):
        split(days(count), Model(validation=2, holdout=3, gap=1))


@given(st.permutations(days(12)), st.integers(1, 3), st.integers(1, 3), st.integers(0, 2))
@settings(max_examples=50, derandomize=True, deadline=None)
def test_windows_are_ordered_disjoint_and_of_the_asked_length_whatever_the_order(keys, validation, holdout, gap):
    found = split(keys * 2, Model(validation=validation, holdout=holdout, gap=gap))
    train, middle, last = (numbers(window) for window in found.windows().values())
    assert (len(middle), len(last)) == (validation, holdout)
    assert middle[0] - train[-1] == last[0] - middle[-1] == gap + 1
    assert train[0] == 1
    assert last[-1] == 12


def test_a_missing_day_never_makes_a_gap_shorter():
    found = split(days(5) + days(12)[7:], Model(validation=2, holdout=3, gap=1))
    assert [numbers(keys) for keys in found.windows().values()] == [[1, 2, 3], [5, 8], [10, 11, 12]]


def test_rows_are_taken_by_their_partition_in_their_order():
    rows = pd.DataFrame({"partition": ["2013-01-09", "2013-01-07", "2013-01-01"], "x": [1, 2, 3]})
    found = split(days(9), Model(validation=2, holdout=3, gap=1))
    assert found.take(rows, "holdout")["x"].tolist() == [1, 2]
    assert found.take(rows, "train")["x"].tolist() == [3]


# ---- folds -------------------------------------------------------------------------------------------------------


def test_older_folds_are_what_a_training_some_time_ago_would_have_seen():
    found = folds(days(16), Model(validation=2, holdout=3, gap=1, folds=3))
    assert [(numbers(f.train), numbers(f.validation), numbers(f.holdout)) for f in found] == [
        ([1, 2, 3, 4, 5], [7, 8], [14, 15, 16]),
        ([1, 2, 3, 4, 5, 6, 7], [9, 10], [14, 15, 16]),
        ([1, 2, 3, 4, 5, 6, 7, 8, 9], [11, 12], [14, 15, 16]),
    ]
    assert found[-1] == split(days(16), Model(validation=2, holdout=3, gap=1))
    assert {name: numbers(keys) for name, keys in boundaries(found).items() if name.startswith("fold_")} == {
        "fold_1_train": [1, 2, 3, 4, 5], "fold_1_validation": [7, 8],
        "fold_2_train": [1, 2, 3, 4, 5, 6, 7], "fold_2_validation": [9, 10],
    }  # fmt: skip


def test_a_short_history_has_fewer_folds_but_never_none():
    assert [numbers(f.train) for f in folds(days(10), Model(validation=2, holdout=3, gap=1, folds=9))] == [
        [1],
        [1, 2, 3],
    ]
    with pytest.raises(TrainingRefused, match="at least 8"):
        folds(days(7), Model(validation=2, holdout=3, gap=1, folds=9))


@pytest.mark.parametrize(
    ("maturity", "lead", "gap"), [("0d", "0d", 0), ("0d", "6h", 1), ("1d", "0d", 1), ("1d", "6h", 2), ("7d", "6h", 8)]
)
def test_the_gap_is_as_long_as_labels_take_to_mature_unless_it_is_declared(make_case, maturity, lead, gap):
    said = {"partitions": {"first": "2013-01-01"}, "problem": {"lead_time": lead}, "label": {"maturity": maturity}}
    assert settled(make_case(**said), days(20)).gap == gap
    assert settled(make_case(**said, model={"gap": 3}), days(20)).gap == 3


@given(
    st.sets(st.sampled_from(days(30)), min_size=12),
    st.tuples(st.integers(1, 4), st.integers(1, 4), st.integers(1, 4)),
    st.sampled_from(["0d", "1d", "3d"]), st.sampled_from([None, "who"]),
)  # fmt: skip
@settings(max_examples=80, derandomize=True, deadline=None)
def test_no_fold_sees_the_future_its_own_groups_or_the_holdout(make_case, keys, sizes, maturity, group):
    model = {**dict(zip(("validation", "holdout", "folds"), sizes, strict=True)), "group": group}
    told = make_case(partitions={"first": "2013-01-01"}, label={"maturity": maturity}, entity=["who"], model=model)
    dates = calendar(told)
    rows = pd.DataFrame([(key, f"g{n}") for key in sorted(keys) for n in range(40)], columns=["partition", "who"])
    try:
        found = folds(keys, settled(told, keys))
    except TrainingRefused:
        return
    for fold in found:
        train, middle, last = (fold.take(rows, window) for window in ("train", "validation", "holdout"))
        for before, after in ((train, middle), (middle, last), (train, last)):
            known = dates.matures_at(dates.at(before["partition"].max()))
            assert known <= dates.at(after["partition"].min()).as_of
            assert group is None or not set(before["who"]) & set(after["who"])
        assert not {*fold.train, *fold.validation} & set(found[-1].holdout)


def test_a_group_stands_on_one_side_for_ever_and_every_side_has_some():
    sides = Counter(side(f"plane {n}") for n in range(5000))
    assert sides.keys() == {"train", "validation", "holdout"}
    assert sides["train"] == pytest.approx(3000, abs=150)
    assert sides["holdout"] == pytest.approx(1000, abs=100)
    rows = pd.DataFrame({"partition": "2013-01-01", "plane": [f"plane {n % 50}" for n in range(200)]})
    parts = [belonging(rows, "plane", window) for window in sides]
    assert sum(map(len, parts)) == 200
    assert belonging(rows, None, "holdout") is rows

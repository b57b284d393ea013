import numpy as np
import pytest

from updraft.model.labels import acted_on, came_true, per_class, rarest, strange

SEVERAL = {"problem": {"kind": "multiclass", "act_on": ["c", "b"]}, "label": {"classes": ["a", "b", "c"]}}
NUMBER = {"problem": {"kind": "regression", "value": None, "cost": {"over": 1, "under": 2, "act_from": 2}}}


@pytest.mark.parametrize(
    ("said", "odd", "right", "rows"),
    [
        pytest.param({}, [False, False, True, True, True], [False, True, False, False, False], 1, id="binary"),
        pytest.param(SEVERAL, [False, False, False, True, True], [False, True, True, False, False], 1, id="multiclass"),
        pytest.param(
            NUMBER, [False, False, False, False, True], [False, False, True, False, False], 5, id="regression"
        ),
    ],
)
def test_a_label_means_what_its_kind_says(make_case, said, odd, right, rows):
    case, labels = make_case(**said), np.array([0.0, 1.0, 2.0, 0.5, np.nan])
    assert strange(case, labels).tolist() == odd
    assert came_true(case, labels).tolist() == right
    assert rarest(case, labels) == rows


def test_classes_are_counted_by_name_and_acted_on_by_position(make_case):
    case = make_case(**SEVERAL)
    assert per_class(case, np.array([2.0, 2.0, 0.0])) == {"a": 1, "b": 0, "c": 2}
    assert per_class(make_case(), np.array([1.0])) == {"0": 0, "1": 1}
    assert per_class(make_case(**NUMBER), np.array([1.0])) == {}
    assert acted_on(case) == [2, 1]

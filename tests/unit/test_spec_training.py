import pytest
from pydantic import ValidationError

from updraft.spec.training import Regression, Tuning


def test_nothing_is_searched_unless_it_is_asked_for(make_case):
    declared = make_case().model
    assert (declared.tuning, declared.features, declared.group) == (Tuning(trials=0), "all", None)
    assert declared.logistic == Regression(l2=10.0)


@pytest.mark.parametrize(
    ("model", "said"),
    [
        pytest.param({"tuning": {"minutes": 5}}, "say how many trials", id="minutes alone"),
        pytest.param({"tuning": {"trials": -1}}, "greater than or equal to 0", id="fewer than none"),
        pytest.param({"logistic": {"l2": 0}}, "greater than 0", id="no penalty"),
        pytest.param({"group": "nobody"}, "neither an entity column nor a feature", id="unknown group"),
        pytest.param({"memory": "lots"}, "whole number and a unit", id="no size"),
        pytest.param({"folds": 0}, "greater than or equal to 1", id="no fold"),
    ],
)
def test_a_search_that_makes_no_sense_is_refused(make_case, model, said):
    with pytest.raises(ValidationError, match=said):
        make_case(model=model)


@pytest.mark.parametrize("group", ["id", "colour"])
def test_a_group_is_an_entity_column_or_a_feature(make_case, group):
    assert make_case(model={"group": group}).model.group == group

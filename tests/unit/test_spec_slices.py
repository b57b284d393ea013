"""Slices name features that are there and of their type; what models do not see may still part the rows."""

import pytest
from pydantic import ValidationError

from updraft.spec.slices import Inside, Parts, Slices

KINDS = {"origin": "category", "distance": "number"}


@pytest.mark.parametrize(
    ("declared", "says"),
    [
        pytest.param({"by": ["origin"]}, "", id="a category"),
        pytest.param({"cut": {"distance": [500, 1000]}}, "", id="a number with edges"),
        pytest.param({"cut": {"distance": 4}}, "", id="a number in four"),
        pytest.param({"where": {"far": {"distance": {"range": [1000, 9000]}}}}, "", id="a condition on a number"),
        pytest.param({"where": {"ewr": {"origin": {"among": ["EWR"]}}}}, "", id="a condition on a category"),
        pytest.param({"by": ["orgin"]}, "'orgin' is not among", id="no such feature"),
        pytest.param({"by": ["distance"]}, "'distance' is a number, a category", id="a number by level"),
        pytest.param({"cut": {"origin": 2}}, "'origin' is a category, a number", id="a category with edges"),
        pytest.param({"where": {"far": {"origin": {"range": [1, 2]}}}}, "a number is needed", id="a range of levels"),
        pytest.param({"where": {"far": {"distance": {"among": ["1"]}}}}, "a category", id="levels of a number"),
    ],
)
def test_a_slice_names_features_that_are_there_and_of_their_type(declared, says):
    found = Slices.model_validate(declared).misfit(KINDS)
    assert says in found if says else found == ""


@pytest.mark.parametrize(
    ("declared", "says"),
    [
        pytest.param({"cut": {"distance": [5, 5]}}, "must rise", id="equal edges"),
        pytest.param({"cut": {"distance": []}}, "there must be one", id="no edges"),
        pytest.param({"cut": {"distance": 1}}, "greater than or equal to 2", id="one part"),
        pytest.param({"where": {"none": {}}}, "names no feature", id="an empty condition"),
        pytest.param({"margin": -0.1}, "greater than or equal to 0", id="a negative margin"),
    ],
)
def test_slices_that_part_nothing_are_refused(declared, says):
    with pytest.raises(ValidationError, match=says):
        Slices.model_validate(declared)


@pytest.mark.parametrize(
    ("said", "says"),
    [
        pytest.param({}, "say `among`", id="nothing"),
        pytest.param({"among": ["a"], "range": [1, 2]}, "say `among`", id="both"),
        pytest.param({"range": [2, 1]}, "smallest and then the largest", id="turned round"),
    ],
)
def test_a_condition_says_one_thing_of_a_feature(said, says):
    with pytest.raises(ValidationError, match=says):
        Inside.model_validate(said)


def test_nothing_declared_is_empty():
    assert Parts().empty
    assert Slices().empty
    assert not Slices(where={"far": {"distance": Inside(range=(1, 2))}}).empty


def test_a_use_case_refuses_slices_of_features_it_does_not_have(make_case):
    with pytest.raises(ValidationError, match=r"`gates\.slices`: 'nowhere' is not among the features"):
        make_case(gates={"slices": {"by": ["nowhere"]}})


def test_features_that_models_do_not_see_still_part_rows(make_case):
    hidden = {"amount": {"type": "number"}, "region": {"type": "category", "learn": False}}
    case = make_case(features=hidden, gates={"slices": {"by": ["region"]}})
    assert list(case.learned) == ["amount"]
    assert case.gates.slices.by == ("region",)


def test_something_must_be_left_to_learn_from(make_case):
    with pytest.raises(ValidationError, match="no feature is left to learn from"):
        make_case(features={"amount": {"type": "number", "learn": False}})

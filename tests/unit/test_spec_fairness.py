"""Fairness needs groups and a limit, and names features that are there."""

import pytest
from pydantic import ValidationError

from updraft.spec.fairness import Fairness


@pytest.mark.parametrize(
    "declared",
    [
        pytest.param({"by": ["sex"]}, id="groups without a limit"),
        pytest.param({"equalized_odds": 0.1}, id="a limit without groups"),
    ],
)
def test_groups_and_limits_come_together(declared):
    with pytest.raises(ValidationError, match="fairness needs groups"):
        Fairness.model_validate(declared)


@pytest.mark.parametrize("limit", [-0.1, 1.1])
def test_a_limit_is_a_share(limit):
    with pytest.raises(ValidationError, match="equalized_odds"):
        Fairness(by=("sex",), equalized_odds=limit)


def test_nothing_declared_asks_nothing():
    assert Fairness().empty


def test_a_use_case_refuses_groups_it_does_not_have(make_case):
    with pytest.raises(ValidationError, match=r"`gates\.fairness`: 'sex' is not among the features"):
        make_case(gates={"fairness": {"by": ["sex"], "equalized_odds": 0.1}})

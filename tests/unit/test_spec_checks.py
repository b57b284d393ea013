"""Which gates decide, which only warn, and which are off."""

from typing import get_args

import pytest
from pydantic import ValidationError

from updraft.evidence import gates
from updraft.spec.checks import Calibration, GateName, Leakage, Operation, Robustness
from updraft.spec.gates import Gates


def test_every_gate_there_is_can_be_given_a_mode():
    assert set(gates.discover()) == set(get_args(GateName))


@pytest.mark.parametrize(
    ("said", "gate", "mode"),
    [
        ({}, "absolute", "enforce"),
        ({}, "champion", "enforce"),
        ({}, "leakage", "enforce"),
        ({}, "calibration", "warn"),
        ({}, "robustness", "warn"),
        ({}, "operation", "warn"),
        ({"calibration": {}}, "calibration", "enforce"),
        ({"robustness": {"noise": 1.2}}, "robustness", "enforce"),
        ({"operation": {"seconds": 5}}, "operation", "enforce"),
        ({"operation": {"seconds": 5}, "modes": {"operation": "warn"}}, "operation", "warn"),
        ({"modes": {"leakage": "off"}}, "leakage", "off"),
        ({"modes": {"champion": "warn"}}, "champion", "warn"),
        ({"modes": {"robustness": "enforce"}}, "robustness", "enforce"),
    ],
)
def test_declared_limits_decide_and_defaults_that_nobody_declared_only_warn(said, gate, mode):
    assert Gates.model_validate(said).mode(gate) == mode


@pytest.mark.parametrize(
    "said",
    [
        {"modes": {"leekage": "off"}},
        {"modes": {"leakage": "maybe"}},
        {"leakage": {"alone": 0.5}},
        {"leakage": {"shared": 1}},
        {"robustness": {"noise": 0.9}},
        {"operation": {"seconds": 0}},
        {"calibration": {"error": 0}},
        {"calibration": {"slopes": 1}},
    ],
)
def test_what_makes_no_sense_is_refused(said):
    with pytest.raises(ValidationError):
        Gates.model_validate(said)


@pytest.mark.parametrize("part", [Calibration, Leakage, Operation, Robustness])
def test_every_limit_has_a_default(part):
    assert part() == part.model_validate({})

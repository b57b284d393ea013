from datetime import timedelta

import pytest
from pydantic import ValidationError

from updraft.spec.monitor import Monitor
from updraft.spec.retrain import Retrain


def test_a_training_is_followed_by_quiet_unless_the_spec_says_otherwise():
    assert Retrain().cooldown == timedelta(days=7)
    assert Retrain.model_validate({"cooldown": "0d"}).cooldown == timedelta(0)


def test_an_incident_takes_fewer_alarms_than_partitions():
    assert Monitor().alarms <= Monitor().of


@pytest.mark.parametrize(
    ("said", "why"),
    [
        pytest.param({"every": "5d"}, "`every` of 5d lies within the cooldown of 7d", id="never quiet"),
        pytest.param(
            {"every": "7d", "budget": 4}, "asks for 5 trainings within 30d, `budget` allows 4", id="beyond the budget"
        ),
        pytest.param({"new_labels": 0}, "greater than or equal to 1", id="always"),
        pytest.param({"cost": 0}, "greater than 0", id="a training for nothing"),
    ],
)
def test_a_schedule_that_cannot_be_kept_is_refused(said, why):
    with pytest.raises(ValidationError, match=why):
        Retrain.model_validate(said)


@pytest.mark.parametrize("said", [{"every": "30d"}, {"every": "7d"}, {"new_labels": 5}])
def test_a_schedule_that_can_be_kept_is_accepted(said):
    assert Retrain.model_validate(said)

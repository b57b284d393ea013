from datetime import timedelta

from updraft.spec.monitor import Monitor
from updraft.spec.retrain import Retrain


def test_a_training_is_followed_by_quiet_unless_the_spec_says_otherwise():
    assert Retrain().cooldown == timedelta(days=14)
    assert Retrain.model_validate({"cooldown": "0d"}).cooldown == timedelta(0)


def test_an_incident_takes_fewer_alarms_than_partitions():
    assert Monitor().alarms <= Monitor().of

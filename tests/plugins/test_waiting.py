"""What all sensors share: when they give up, and what they say then."""

from datetime import timedelta

import pytest
from airflow.sdk.bases.operator import TriggerFailureReason
from airflow.sdk.exceptions import AirflowSensorTimeout

from updraft_airflow.sensors.waiting import HALF_A_DAY, WaitingSensor


class Never(WaitingSensor):
    """Waits for what does not come."""

    def ended(self, waited):
        return f"{self.use_case} saw nothing for {waited}"


def test_a_sensor_comes_back_each_minute_and_gives_up_after_half_a_day():
    sensor = Never(task_id="wait", use_case="tiny")
    assert (sensor.timeout, sensor.poke_interval, sensor.mode) == (HALF_A_DAY, 60.0, "reschedule")
    assert timedelta(seconds=HALF_A_DAY) == timedelta(hours=12)


def test_when_the_triggerer_gave_up_the_sensor_says_what_did_not_come():
    sensor = Never(task_id="wait", use_case="tiny", timeout=90.0, deferrable=True)
    with pytest.raises(AirflowSensorTimeout, match="tiny saw nothing for 0:01:30"):
        sensor.resume_execution("__fail__", {"error": TriggerFailureReason.TRIGGER_TIMEOUT}, {})


def test_a_sensor_must_say_how_it_hands_over():
    with pytest.raises(NotImplementedError):
        Never(task_id="wait", use_case="tiny").hand_over({})

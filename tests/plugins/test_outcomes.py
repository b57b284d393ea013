import pytest
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException

from updraft.errors import (
    DeliveryBlocked,
    DeliveryMissing,
    LakeUnavailable,
    NoChampion,
    Permanent,
    Transient,
    UpdraftError,
    WriteConflict,
)
from updraft_airflow.outcomes import airflow_outcomes


def kinds(base):
    return [kind for sub in base.__subclasses__() for kind in (sub, *kinds(sub))]


@pytest.mark.parametrize("kind", [Permanent, *kinds(Permanent)])
def test_what_is_permanent_fails_the_task_at_once(kind):
    with (
        pytest.raises(AirflowFailException, match=f"{kind.__name__}: Bad. Next: mend it.") as failed,
        airflow_outcomes(),
    ):
        raise kind("Bad.", next_step="mend it.")
    assert isinstance(failed.value.__cause__, kind)


@pytest.mark.parametrize("kind", [Transient, *kinds(Transient)])
def test_what_may_pass_is_left_to_the_retries(kind):
    with pytest.raises(AirflowException, match=f"{kind.__name__}: Gone. Next: wait.") as failed, airflow_outcomes():
        raise kind("Gone.", next_step="wait.")
    assert not isinstance(failed.value, AirflowFailException)
    assert isinstance(failed.value.__cause__, kind)


@pytest.mark.parametrize("other", [ValueError("x"), KeyError("x"), AirflowSkipException("x"), KeyboardInterrupt()])
def test_other_exceptions_pass_through_untouched(other):
    with pytest.raises(type(other)) as raised, airflow_outcomes():
        raise other
    assert raised.value is other


def test_every_error_of_updraft_is_one_or_the_other():
    assert {Permanent, Transient} == set(UpdraftError.__subclasses__())
    assert {DeliveryBlocked, NoChampion} <= set(kinds(Permanent))
    assert {DeliveryMissing, LakeUnavailable, WriteConflict} <= set(kinds(Transient))


def test_nothing_happens_when_nothing_is_raised():
    with airflow_outcomes():
        value = 1
    assert value == 1

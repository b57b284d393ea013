from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from updraft.monitor.incident import Incident
from updraft.retrain import Decision, ModelState, decide
from updraft.spec.retrain import Retrain

CHAMPION, FORMER = "c" * 64, "f" * 64
LIMITS = Retrain(cooldown="14d", budget=2, budget_period="30d")
DRIFT = Incident("feature_drift", CHAMPION, "2013-03-30", False, "feature_drift in 3 of the last 5 partitions")
NOW = datetime(2013, 4, 1, tzinfo=UTC)


def state(**known) -> ModelState:
    calm = {
        "champion": CHAMPION,
        "partition": "2013-04-01",
        "as_of": NOW,
        "last_trained_at": NOW - timedelta(days=60),
        "trainings_in_period": 0,
        "new_mature_partitions": 60,
    }
    return ModelState(**calm | known)


@pytest.mark.parametrize(
    ("known", "action", "because"),
    [
        pytest.param({}, "none", "no incident at 2013-04-01", id="calm"),
        pytest.param({"incident": DRIFT}, "retrain", DRIFT.reason, id="an incident"),
        pytest.param(
            {"incident": DRIFT, "data_incident": "values of temp went missing"},
            "quarantine",
            "values of temp went missing; retraining would learn the fault",
            id="never on a broken feed",
        ),
        pytest.param(
            {"data_incident": "the delivery was blocked", "champion": None, "last_trained_at": None},
            "quarantine",
            "the delivery was blocked; retraining would learn the fault",
            id="not even for the first model",
        ),
        pytest.param(
            {"incident": DRIFT, "champion_is_worse": "AUC 0.61, the one before 0.70 on the same rows"},
            "roll_back",
            "AUC 0.61, the one before 0.70 on the same rows",
            id="back to the proven one before a new one",
        ),
        pytest.param(
            {"champion_is_worse": "worse", "data_incident": "broken"},
            "quarantine",
            "broken; retraining would learn the fault",
            id="nothing is judged on broken data",
        ),
        pytest.param({"champion": None, "last_trained_at": None}, "retrain", "no champion yet", id="a first model"),
        pytest.param(
            {"champion": None, "last_trained_at": None, "new_mature_partitions": 0},
            "none",
            "no champion yet; but no partition has matured since the last training",
            id="a first model needs labels",
        ),
        pytest.param(
            {"champion": None, "last_trained_at": NOW - timedelta(days=1)},
            "none",
            "no champion yet; but last trained at 2013-03-31 00:00, cooldown of 14d until 2013-04-14 00:00",
            id="a first model that failed its gates is not tried every day",
        ),
        pytest.param(
            {"incident": DRIFT, "last_trained_at": NOW - timedelta(days=13)},
            "none",
            f"{DRIFT.reason}; but last trained at 2013-03-19 00:00, cooldown of 14d until 2013-04-02 00:00",
            id="cooling down",
        ),
        pytest.param(
            {"incident": DRIFT, "last_trained_at": NOW - timedelta(days=14)}, "retrain", DRIFT.reason, id="cooled down"
        ),
        pytest.param(
            {"incident": DRIFT, "last_trained_at": NOW + timedelta(days=3)},
            "none",
            f"{DRIFT.reason}; but a training stood at 2013-04-04 00:00 already, later than 2013-04-01",
            id="an old partition run again",
        ),
        pytest.param(
            {"incident": DRIFT, "trainings_in_period": 2},
            "none",
            f"{DRIFT.reason}; but 2 of 2 trainings within 30d are spent",
            id="budget spent",
        ),
        pytest.param(
            {"incident": DRIFT, "new_mature_partitions": 0},
            "none",
            f"{DRIFT.reason}; but no partition has matured since the last training",
            id="the same data again",
        ),
        pytest.param(
            {"incident": Incident("performance", FORMER, "2013-03-30", True, "worse")},
            "none",
            f"the incident is about model {FORMER[:12]}, which is not champion any more",
            id="an incident of the former champion",
        ),
    ],
)
def test_a_decision_follows_from_the_state_and_says_why(known, action, because):
    assert decide(state(**known), LIMITS) == Decision(action, because)


def test_a_budget_of_nothing_never_trains():
    assert decide(state(incident=DRIFT), Retrain(budget=0)).action == "none"


days = st.tuples(st.sampled_from(["drift", "calm", "broken"]), st.booleans(), st.integers(-3, 20))
limits = st.builds(
    Retrain,
    cooldown=st.integers(0, 20).map(lambda n: timedelta(days=n)),
    budget=st.integers(0, 3),
    budget_period=st.integers(1, 40).map(lambda n: timedelta(days=n)),
)


@given(st.lists(days, max_size=40), limits)
@settings(max_examples=80, derandomize=True, deadline=None)
def test_whatever_happens_trainings_keep_to_cooldown_budget_and_sound_data(story, limits):
    asked: list[datetime] = []
    now, mature = NOW, 5
    for weather, matures, pause in story:
        now, mature = now + timedelta(days=pause), mature + matures
        decision = decide(
            state(
                partition=f"{now:%Y-%m-%d}",
                as_of=now,
                last_trained_at=max(asked, default=None),
                trainings_in_period=sum(now - limits.budget_period < then <= now for then in asked),
                new_mature_partitions=mature,
                data_incident="broken" if weather == "broken" else None,
                incident=None if weather == "calm" else DRIFT,
            ),
            limits,
        )
        assert decision.because
        if decision.action == "retrain":
            assert weather == "drift"
            assert mature > 0
            asked, mature = [*asked, now], 0
    assert asked == sorted(asked)
    assert all(later - former >= limits.cooldown for former, later in pairwise(asked))
    for end in asked:
        assert sum(end - limits.budget_period < then <= end for then in asked) <= limits.budget


def test_an_alarm_every_day_trains_as_often_as_the_budget_says_and_explains_every_other_day():
    asked: list[datetime] = []
    decisions = []
    for day in range(90):
        now = NOW + timedelta(days=day)
        spent = sum(now - LIMITS.budget_period < then for then in asked)
        last = max(asked, default=None)
        known = {"as_of": now, "last_trained_at": last, "trainings_in_period": spent, "incident": DRIFT}
        decisions.append(decide(state(**known), LIMITS))
        asked += [now] if decisions[-1].action == "retrain" else []
    assert len(asked) == 6
    assert all(d.because.startswith(DRIFT.reason) for d in decisions)

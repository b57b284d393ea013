"""What holds of every sequence of decisions, whatever happens in between."""

from datetime import datetime, timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.states import DRIFT, LIMITS, NOW, OUTAGE, PERFORMANCE, state

from updraft.retrain import Stake, decide
from updraft.spec.retrain import Retrain

days = st.tuples(
    st.sampled_from(["drift", "performance", "outage", "calm", "broken", "worse"]), st.booleans(), st.integers(-3, 20)
)
spans = st.integers(0, 20).map(lambda n: timedelta(days=n))
limits = st.builds(
    Retrain.model_construct,  # also what no spec may say: the law holds without the spec's own checks
    cooldown=spans,
    every=st.none() | spans.filter(bool),
    new_labels=st.none() | st.integers(1, 200),
    budget=st.integers(0, 3),
    budget_period=st.integers(1, 40).map(lambda n: timedelta(days=n)),
    attempts=st.integers(1, 3),
    cost=st.none() | st.just(100.0),
)
SEEN = {"drift": DRIFT, "performance": PERFORMANCE, "outage": OUTAGE}


@given(st.lists(days, max_size=40), limits, st.sampled_from([None, Stake(0.1, 100), Stake(1.0, 1000)]))
@settings(max_examples=150, derandomize=True, deadline=None)
def test_whatever_happens_trainings_keep_to_cooldown_budget_and_sound_data(story, limits, stake):
    asked: list[datetime] = []
    now, mature = NOW, 5
    for weather, matures, pause in story:
        now, mature = now + timedelta(days=pause), mature + matures
        known = state(
            partition=f"{now:%Y-%m-%d}",
            as_of=now,
            last_trained_at=max(asked, default=None),
            trainings_in_period=sum(now - limits.budget_period < then <= now for then in asked),
            new_mature_partitions=mature,
            new_labels=60 * mature,
            data_incident="broken" if weather == "broken" else None,
            champion_is_worse="worse" if weather == "worse" else None,
            incident=SEEN.get(weather),
            stake=stake,
        )
        decision = decide(known, limits)
        assert decide(known, limits) == decision
        assert decision.because
        assert (decision.action == "quarantine") == (weather == "broken")
        assert (decision.action == "roll_back") == (weather == "worse")
        if decision.action == "retrain":
            assert mature > 0
            assert decision.kind in ("schedule", "new_labels") or weather in ("drift", "performance")
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

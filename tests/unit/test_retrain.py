"""Whether to train, decided from what is known: which cause comes first, and what holds it back."""

from datetime import datetime, timedelta

import pytest
from tests.states import DRIFT, LIMITS, NOW, OUTAGE, PERFORMANCE, state

from updraft.monitor.incident import Incident
from updraft.retrain import Stake, decide
from updraft.spec.retrain import Retrain


def trained(days: int) -> dict[str, datetime]:
    return {"last_trained_at": NOW - timedelta(days=days)}


FORMER = "f" * 64
FAULT = {"data_incident": "values of temp went missing"}
WORSE = {"champion_is_worse": "worse"}
SPENT, NOTHING, VAIN = {"trainings_in_period": 2}, {"new_mature_partitions": 0}, {"in_vain": 3}
COOLING = trained(13)
POOR = {"stake": Stake(per_row=0.001, rows=50_000)}
AGAIN = "so another will not: a person has to look"
UNTIL = "last trained at 2013-03-19 00:00, cooldown of 14d until 2013-04-02 00:00"


@pytest.mark.parametrize(
    ("known", "action", "kind", "because"),
    [
        pytest.param({}, "none", "calm", "no incident at 2013-04-01", id="calm"),
        pytest.param({"incident": DRIFT}, "retrain", "feature_drift", DRIFT.reason, id="an incident"),
        pytest.param(
            {"champion": None, "last_trained_at": None}, "retrain", "no_champion", "no champion yet", id="a first model"
        ),
        pytest.param(
            {"champion": None, "last_trained_at": None} | NOTHING,
            "none",
            "no_champion/nothing_new",
            "no champion yet; but no partition has matured since the last training",
            id="a first model needs labels",
        ),
        pytest.param(
            {"champion": None} | COOLING,
            "none",
            "no_champion/cooldown",
            f"no champion yet; but {UNTIL}",
            id="a first model that failed its gates is not tried every day",
        ),
        pytest.param(
            {"incident": DRIFT} | COOLING, "none", "feature_drift/cooldown", f"{DRIFT.reason}; but {UNTIL}", id="soon"
        ),
        pytest.param(
            {"incident": DRIFT, "last_trained_at": NOW - timedelta(days=14)},
            "retrain",
            "feature_drift",
            DRIFT.reason,
            id="cooled down",
        ),
        pytest.param(
            {"incident": DRIFT, "last_trained_at": NOW + timedelta(days=3)},
            "none",
            "feature_drift/cooldown",
            f"{DRIFT.reason}; but a training stood at 2013-04-04 00:00 already, later than 2013-04-01",
            id="an old partition run again",
        ),
        pytest.param(
            {"incident": DRIFT} | SPENT,
            "none",
            "feature_drift/budget",
            f"{DRIFT.reason}; but 2 of 2 trainings within 30d are spent",
            id="budget spent",
        ),
        pytest.param(
            {"incident": DRIFT} | NOTHING,
            "none",
            "feature_drift/nothing_new",
            f"{DRIFT.reason}; but no partition has matured since the last training",
            id="the same data again",
        ),
        pytest.param(
            {"incident": DRIFT, "changed": "the code"} | NOTHING,
            "retrain",
            "feature_drift",
            DRIFT.reason,
            id="the same data, other code",
        ),
        pytest.param(
            {"incident": DRIFT} | VAIN,
            "none",
            "feature_drift/attempts",
            f"{DRIFT.reason}; but 3 trainings for it brought no better model, {AGAIN}",
            id="tried often enough",
        ),
        pytest.param({"champion": None} | VAIN, "retrain", "no_champion", "no champion yet", id="the first one"),
        pytest.param(
            {"incident": Incident("performance", FORMER, "2013-03-30", True, "worse")},
            "none",
            "calm",
            f"the incident is about model {FORMER[:12]}, which is not champion any more",
            id="an incident of the former champion",
        ),
        pytest.param(
            {"incident": OUTAGE},
            "none",
            "label_outage",
            "no labels since 2013-03-20; a training would find nothing new to learn from",
            id="labels that stopped arriving",
        ),
    ],
)
def test_a_decision_follows_from_the_state_and_says_why(known, action, kind, because):
    decided = decide(state(**known), LIMITS)
    assert (decided.action, decided.kind, decided.because) == (action, kind, because)


@pytest.mark.parametrize(
    ("known", "action", "kind"),
    [
        pytest.param(FAULT | {"incident": PERFORMANCE}, "quarantine", "broken_feed", id="a fault before an incident"),
        pytest.param(FAULT | WORSE, "quarantine", "broken_feed", id="a fault before a comparison"),
        pytest.param(FAULT | {"champion": None}, "quarantine", "broken_feed", id="a fault before a first model"),
        pytest.param(FAULT | trained(90), "quarantine", "broken_feed", id="a fault before the schedule"),
        pytest.param(FAULT | {"new_labels": 9000}, "quarantine", "broken_feed", id="a fault before new labels"),
        pytest.param(WORSE | {"incident": PERFORMANCE}, "roll_back", "champion_is_worse", id="the proven one first"),
        pytest.param(WORSE | COOLING | SPENT, "roll_back", "champion_is_worse", id="whatever was spent"),
        pytest.param(
            {"incident": PERFORMANCE, "new_labels": 9000} | trained(90), "retrain", "performance", id="an incident"
        ),
        pytest.param({"new_labels": 9000} | trained(40), "retrain", "schedule", id="then the schedule"),
        pytest.param({"new_labels": 5000} | trained(39), "retrain", "new_labels", id="then new labels"),
        pytest.param({"new_labels": 4999} | trained(39), "none", "calm", id="too few of them"),
        pytest.param({"incident": OUTAGE} | trained(39), "none", "label_outage", id="an outage is no cause"),
        pytest.param({"incident": OUTAGE} | trained(40), "retrain", "schedule", id="nor does it stop the schedule"),
        pytest.param({"incident": OUTAGE} | trained(40) | NOTHING, "none", "schedule/nothing_new", id="no labels do"),
        pytest.param({"incident": PERFORMANCE} | trained(40) | VAIN, "retrain", "schedule", id="stopped but for that"),
        pytest.param({"incident": PERFORMANCE, "new_labels": 9000} | COOLING, "none", "performance/cooldown", id="one"),
        pytest.param({"incident": PERFORMANCE} | COOLING | SPENT, "none", "performance/cooldown", id="cooldown first"),
        pytest.param({"incident": PERFORMANCE} | SPENT | NOTHING, "none", "performance/budget", id="then the budget"),
        pytest.param({"incident": PERFORMANCE} | NOTHING | VAIN, "none", "performance/nothing_new", id="then the data"),
        pytest.param(
            {"incident": PERFORMANCE} | VAIN | POOR | trained(39), "none", "performance/attempts", id="then attempts"
        ),
        pytest.param({"incident": PERFORMANCE} | POOR | trained(39), "none", "performance/worth", id="then the worth"),
    ],
)
def test_of_several_causes_the_order_decides(known, action, kind):
    limits = Retrain(attempts=3, cooldown="14d", budget=2, every="40d", new_labels=5000, cost=100)
    decided = decide(state(**known), limits)
    assert (decided.action, decided.kind) == (action, kind)


@pytest.mark.parametrize(
    ("stake", "cost", "action"),
    [
        pytest.param(Stake(0.01, 9_999), 100, "none", id="99.99 of 100"),
        pytest.param(Stake(0.01, 10_000), 100, "retrain", id="as much as it costs"),
        pytest.param(Stake(-0.5, 10_000), 1, "none", id="the champion does better than it did"),
        pytest.param(Stake(0.0, 10_000), None, "retrain", id="a spec without a cost"),
        pytest.param(None, 100, "retrain", id="nobody knows"),
        pytest.param(Stake(float("nan"), 10_000), 100, "retrain", id="undefined"),
    ],
)
def test_an_incident_is_worth_a_training_when_it_loses_more_than_one_costs(stake, cost, action):
    decided = decide(state(incident=DRIFT, stake=stake), Retrain(cost=cost))
    assert decided.action == action
    assert ("a training costs" in decided.because) == (action == "none")


def test_what_is_not_worth_it_says_how_that_was_reckoned():
    decided = decide(state(incident=DRIFT, stake=Stake(0.002, 10_000)), Retrain(cost=100))
    assert decided.because == (
        f"{DRIFT.reason}; but it loses 0.002 per row, 20 over the 10000 rows until the next training could be, "
        "and a training costs 100"
    )
    assert (decided.numbers["lost_per_row"], decided.numbers["rows_at_stake"]) == (0.002, 10_000)


def test_the_schedule_and_new_labels_are_not_weighed_against_the_cost():
    """What they win is not known beforehand: the drop against the holdout says nothing about it."""
    limits = Retrain(every="40d", new_labels=10, cost=1e9)
    assert decide(state(stake=Stake(0.0, 1)), limits).kind == "schedule"
    assert decide(state(stake=Stake(0.0, 1), last_trained_at=NOW - timedelta(days=20), new_labels=10), limits).kind == (
        "new_labels"
    )


WELL = {"harmless": "AUC 0.80, holdout 0.81"}


@pytest.mark.parametrize(
    ("known", "action", "kind"),
    [
        pytest.param({"incident": DRIFT}, "none", "feature_drift/harmless", id="drift that labels show to be harmless"),
        pytest.param({"incident": DRIFT} | COOLING | VAIN, "none", "feature_drift/harmless", id="before all else"),
        pytest.param({"incident": DRIFT} | trained(40), "retrain", "schedule", id="the schedule goes on"),
        pytest.param({"incident": DRIFT, "risen_on": "performance"}, "retrain", "follow_up", id="and so do follow-ups"),
        pytest.param({"champion": None, "last_trained_at": None}, "retrain", "no_champion", id="a first model"),
    ],
)
def test_what_drifted_and_does_no_harm_asks_for_no_training(known, action, kind):
    decided = decide(state(**{"last_trained_at": NOW - timedelta(days=39)} | known | WELL), Retrain(every="40d"))
    assert (decided.action, decided.kind) == (action, kind)
    assert ("labels show no harm: AUC 0.80, holdout 0.81" in decided.because) == (action == "none")


def test_a_decision_carries_the_numbers_it_rests_on():
    assert decide(state(incident=DRIFT, new_labels=7, in_vain=1), LIMITS).numbers == {
        "days_since_training": 60.0,
        "trainings_in_period": 0,
        "new_mature_partitions": 60,
        "new_labels": 7,
        "in_vain": 1,
        "since_risen": 0,
        "lost_per_row": None,
        "rows_at_stake": None,
    }


@pytest.mark.parametrize(
    ("known", "action", "kind"),
    [
        pytest.param({}, "retrain", "follow_up", id="when the cooldown is over"),
        pytest.param(trained(7), "retrain", "follow_up", id="or half over, while each one helps"),
        pytest.param(trained(6), "none", "follow_up/cooldown", id="not before"),
        pytest.param(COOLING | {"since_risen": 1}, "none", "follow_up/cooldown", id="and whole once one was in vain"),
        pytest.param(SPENT, "none", "follow_up/budget", id="within the budget"),
        pytest.param(NOTHING, "none", "follow_up/nothing_new", id="when there is something to learn"),
        pytest.param({"incident": PERFORMANCE}, "retrain", "performance", id="a loss of performance is more pressing"),
        pytest.param({"incident": DRIFT}, "retrain", "follow_up", id="drift of what it is given is less so"),
        pytest.param(
            {"incident": DRIFT} | COOLING | {"since_risen": 1}, "none", "follow_up/cooldown", id="and is told after it"
        ),
        pytest.param({"since_risen": 3}, "none", "calm", id="until the gate has said often enough that none is better"),
        pytest.param({"incident": DRIFT, "since_risen": 3}, "retrain", "feature_drift", id="then what else there is"),
        pytest.param(
            {"incident": PERFORMANCE, "since_risen": 3}, "retrain", "performance", id="the next loss starts from nought"
        ),
        pytest.param(VAIN, "retrain", "follow_up", id="whatever became of an incident before"),
        pytest.param(FAULT, "quarantine", "broken_feed", id="never on broken data"),
    ],
)
def test_a_champion_that_rose_on_an_incident_is_followed_up(known, action, kind):
    decision = decide(state(risen_on="performance", **known), LIMITS)
    assert (decision.action, decision.kind) == (action, kind)


def test_a_budget_of_nothing_never_trains():
    assert decide(state(incident=DRIFT), Retrain(budget=0)).action == "none"

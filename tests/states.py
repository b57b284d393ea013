"""What is known of a model when somebody asks whether to train, and what may have happened to it."""

from datetime import UTC, datetime, timedelta

from updraft.monitor.incident import Incident
from updraft.retrain import ModelState
from updraft.spec.retrain import Retrain

CHAMPION = "c" * 64
LIMITS = Retrain(cooldown="14d", budget=2, budget_period="30d", attempts=3)
NOW = datetime(2013, 4, 1, tzinfo=UTC)
DRIFT = Incident("feature_drift", CHAMPION, "2013-03-30", False, "feature_drift in 3 of the last 5 partitions")
PERFORMANCE = Incident("performance", CHAMPION, "2013-03-30", False, "performance in 3 of the last 5 partitions")
OUTAGE = Incident("label_outage", CHAMPION, "2013-03-30", False, "no labels since 2013-03-20")


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

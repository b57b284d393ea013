"""The use case that is simulated: everything about it is the spec's default, except what keeps a training short."""

from functools import cache

from updraft.spec.model import UseCase

NUMBERS = ("weight", "distance", "queue", "wind", "age")
CATEGORY = "depot"
FINGERPRINT = "simulated"


@cache
def use_case() -> UseCase:
    """Yes or no, a partition a day, labels two days late."""
    return UseCase.model_validate(
        {
            "version": 1,
            "name": "simulated",
            "owner": {"name": "Study", "email": "study@example.com"},
            "problem": {
                "goal": "Tell on the day before which parcels will be late.",
                "lead_time": "1d",
                "decision": "Tell the customer.",
                "value": {"true_positive": 3.0, "false_positive": -1.0, "false_negative": 0.0},
            },
            "partitions": {"first": "2023-01-01"},
            "entity": ["parcel"],
            "sources": {
                "parcels": {
                    "type": "files",
                    "path": "{partition}.csv",
                    "key": ["parcel"],
                    "event_time": "at",
                    "known_at": {"landing": True},
                    "columns": {"parcel": {"type": "string"}, "at": {"type": "timestamp"}},
                }
            },
            "label": {"column": "late", "maturity": "2d"},
            "features": {**{name: {"type": "number"} for name in NUMBERS}, CATEGORY: {"type": "category"}},
            "model": {"families": ["logistic"], "folds": 1, "threads": 1, "history": "60d"},
        }
    )

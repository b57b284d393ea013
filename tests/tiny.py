"""The smallest use case that trains, and its days."""

from updraft.spec.model import UseCase

DAYS = [f"2013-01-{day:02}" for day in range(1, 19)]
SOURCE = {
    "type": "files",
    "path": "{partition}.csv",
    "key": ["id"],
    "event_time": "at",
    "known_at": {"landing": True},
    "columns": {"id": {"type": "string"}, "at": {"type": "timestamp"}},
}


def case(**model):
    sizes = {"validation": 3, "holdout": 3, "gap": 1, "min_rows": 100, "min_positives": 10}
    trees = {"rounds": 15, "leaves": 4, "min_leaf_rows": 20}
    return UseCase.model_validate(
        {
            "version": 1,
            "name": "tiny",
            "owner": {"name": "team", "email": "team@example.org"},
            "problem": {
                "goal": "Tell which ones come true.",
                "lead_time": "6h",
                "decision": "act",
                "value": {"true_positive": 3, "false_positive": -1, "false_negative": 0},
            },
            "partitions": {"first": "2013-01-01"},
            "entity": ["id"],
            "sources": {"facts": SOURCE},
            "label": {"column": "late", "maturity": "1d"},
            "features": {"x": {"type": "number"}, "y": {"type": "number"}, "c": {"type": "category"}},
            "model": {**sizes, "lightgbm": trees, **model},
        }
    )

"""The smallest use case that is watched: a temperature and a carrier, from which to tell what will be late."""

from typing import Any

from updraft.spec.model import UseCase


def use_case(**parts: Any) -> UseCase:
    """Declare it; `parts` take the place of its own."""
    source = {
        "type": "files",
        "path": "{partition}.csv",
        "key": ["id"],
        "event_time": "at",
        "known_at": {"delay": "1d"},
        "columns": {"id": {"type": "integer"}, "at": {"type": "timestamp"}},
    }
    value = {"true_positive": 3, "false_positive": -1, "false_negative": 0}
    spec = {
        "version": 1,
        "name": "late",
        "owner": {"name": "ops", "email": "ops@example.org"},
        "problem": {"goal": "Warn of late ones.", "lead_time": "6h", "decision": "warn", "value": value},
        "partitions": {"first": "2013-01-01"},
        "entity": ["id"],
        "sources": {"rows": source},
        "label": {"column": "late", "maturity": "1d"},
        "features": {"temp": {"type": "number"}, "carrier": {"type": "category"}},
    }
    return UseCase.model_validate(spec | parts)

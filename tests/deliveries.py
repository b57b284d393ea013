"""A use case whose flights come as files: to drop some into an inbox, ingest them, and look at what the lake holds."""

from pathlib import Path

from tests.inbox import put

from updraft import ingest
from updraft.rows import digest
from updraft.spec.model import UseCase

DAYS = ["2013-04-01", "2013-04-02", "2013-04-03"]
DAY = DAYS[0]
RAW, QUARANTINE = "raw/late/flights", "quarantine/late/flights"
GOOD = ["1,2013-04-01T05:00:00Z,10", "2,2013-04-01T06:00:00Z,20"]


def case(*, known_at=None, rows=(1, 100), tolerance=0.5, path="flights/{partition}.csv", top=100, **columns):
    declared = {
        "id": {"type": "integer"},
        "at": {"type": "timestamp"},
        "delay": {"type": "integer", "range": [-60, top]},
        **columns,
    }
    return UseCase.model_validate(
        {
            "version": 1,
            "name": "late",
            "owner": {"name": "team", "email": "team@example.com"},
            "problem": {
                "goal": "Warn of late flights.",
                "lead_time": "6h",
                "decision": "Warn.",
                "value": {"true_positive": 3, "false_positive": -1, "false_negative": 0},
            },
            "partitions": {"every": "day", "first": "2013-01-01"},
            "entity": ["id"],
            "sources": {
                "flights": {
                    "type": "files",
                    "path": path,
                    "key": ["id"],
                    "event_time": "at",
                    "known_at": known_at or {"delay": "6h"},
                    "columns": declared,
                    "contract": {"rows": list(rows), "tolerance": tolerance},
                }
            },
            "label": {"column": "late", "maturity": "1d"},
            "features": {"delay": {"type": "number"}},
        }
    )


def drop(inbox: Path, *lines: str, day: str = DAY, name: str = "", header: str = "id,at,delay") -> Path:
    return put(inbox / "flights" / (name or f"{day}.csv"), "\n".join([header, *lines]) + "\n")


def stage(lake, inbox, days=(DAY,), of=None):
    return ingest.stage(of or case(), "flights", list(days), lake, inbox)


def raw(lake, days=None):
    rows = lake.read(RAW, days)
    return [] if rows is None else rows.sort_by("id").to_pylist()


def quarantine(lake):
    rows = lake.read(QUARANTINE)
    return [] if rows is None else rows.sort_by([("partition", "ascending"), ("row", "ascending")]).to_pylist()


def state(lake):
    """Content of everything that readers see."""
    tables = {name: lake.read(name) for name in (RAW, QUARANTINE)}
    return {name: rows and digest(rows) for name, rows in tables.items()}

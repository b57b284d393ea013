"""A small use case that can be learnt, with raw rows as ingestion would have published them.

Heavy parcels are late, and more so from some depots. From `turns` on it is the other way round and they all weigh more:
drift that costs performance, and that a new model can learn. Every day is drawn from its own seed, so the rows of a
day do not depend on which other days are made.
"""

import csv
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import yaml

from updraft.asof import raw_schema, raw_table
from updraft.ingest.feed import Feed
from updraft.lake import Lake
from updraft.partition import Partition, calendar
from updraft.spec.load import load
from updraft.spec.model import UseCase

FEATURES = """
-- One row per parcel that ships on the day.
WITH seen AS (SELECT depot, avg((hours_late > 0)::INT) AS depot_late FROM arrivals GROUP BY depot)
SELECT parcel, ships_at AS event_time, depot, weight, hour(ships_at) AS ship_hour, depot_late
FROM parcels CROSS JOIN this_partition LEFT JOIN seen USING (depot)
WHERE ships_at >= starts_at AND ships_at < ends_at
"""
LABEL = """
SELECT parcel, (hours_late > 0)::INT AS late
FROM arrivals CROSS JOIN this_partition
WHERE ships_at >= starts_at AND ships_at < ends_at
"""
SPEC: dict[str, Any] = {
    "version": 1,
    "name": "parcels",
    "owner": {"name": "Parcels", "email": "parcels@example.com"},
    "problem": {
        "goal": "Tell the customer the day before that a parcel will be late.",
        "lead_time": "6h",
        "decision": "Tell the customer.",
        "value": {"true_positive": 3.0, "false_positive": -1.0, "false_negative": 0.0},
    },
    "partitions": {"every": "day", "timezone": "UTC", "first": "2024-01-01"},
    "entity": ["parcel"],
    "sources": {
        "parcels": {
            "type": "files",
            "path": "parcels/{partition}.csv",
            "key": ["parcel"],
            "event_time": "ships_at",
            "known_at": {"column": "booked_at"},
            "lookback": "2d",
            "columns": {
                "parcel": {"type": "string"},
                "depot": {"type": "string"},
                "weight": {"type": "number", "nullable": True},
                "ships_at": {"type": "timestamp"},
                "booked_at": {"type": "timestamp"},
            },
            "contract": {"tolerance": 0.05},
        },
        "arrivals": {
            "type": "files",
            "path": "arrivals/{partition}.csv",
            "key": ["parcel"],
            "event_time": "ships_at",
            "known_at": {"column": "reported_at"},
            "lookback": "8d",
            "columns": {
                "parcel": {"type": "string"},
                "depot": {"type": "string"},
                "hours_late": {"type": "number", "nullable": True},
                "ships_at": {"type": "timestamp"},
                "reported_at": {"type": "timestamp"},
            },
            "contract": {"rows": [0, 1000]},
        },
    },
    "label": {"column": "late", "maturity": "1d"},
    "features": {
        "depot": {"type": "category", "nullable": False},
        "weight": {"type": "number"},
        "ship_hour": {"type": "number", "nullable": False},
        "depot_late": {"type": "number"},
    },
    "model": {
        "families": ["logistic", "lightgbm"],
        "threads": 1,
        "history": "15d",
        "validation": 3,
        "holdout": 4,
        "gap": 1,
        "min_rows": 100,
        "min_positives": 10,
        "lightgbm": {"rounds": 20, "leaves": 4, "min_leaf_rows": 20},
    },
    "gates": {"min_rows": 100, "absolute": {"auc": {"min": 0.6}}},
    "monitor": {"window": 2, "min_rows": 50, "alarms": 2, "of": 3},
    "retrain": {"cooldown": "5d", "budget": 1, "budget_period": "30d"},
}
PER_DAY = 60
TURNS = "2024-01-19"


def write(folder: Path, features: str = FEATURES, label: str = LABEL, /, **overrides: Any) -> UseCase:
    """Write the use case's folder below `folder` and load it; a section given as a mapping is laid over its own."""
    said = {k: {**SPEC.get(k, {}), **v} if isinstance(v, dict) else v for k, v in overrides.items()}
    own = folder / "parcels"
    own.mkdir(parents=True, exist_ok=True)
    files = {"features.sql": features, "label.sql": label, "README.md": "# parcels\n"}
    for name, text in {**files, "spec.yaml": yaml.safe_dump({**SPEC, **said})}.items():
        (own / name).write_text(text)
    return load("parcels", folder)


def deliver(case: UseCase, lake: Lake, keys: Sequence[str]) -> None:
    """Publish the raw rows that became known in the partitions `keys`, one commit per source."""
    for source in case.sources:
        lake.replace(raw_table(case, source), raw(case, source, keys), keys)
        Feed(case, source, lake).announce(keys)


def raw(case: UseCase, source: str, keys: Iterable[str]) -> pa.Table:
    """Rows of a raw table for the partitions `keys`: bookings of the day itself, arrivals of two days before."""
    dates, schema = calendar(case), raw_schema(case.sources[source])
    back = 0 if source == "parcels" else 2
    rows: list[dict[str, Any]] = []
    for key in keys:
        shipped = dates.step(dates.at(key), -back)
        if shipped.start < dates.first.start:
            continue
        made = _bookings(shipped) if source == "parcels" else _arrivals(shipped)
        origin = {"delivery": f"{source}-{key}", "partition": key}
        rows += [{**row, **origin, "event_time": row["ships_at"], "row": n} for n, row in enumerate(made, start=1)]
    return pa.Table.from_pylist(rows, schema)


def _bookings(day: Partition) -> list[dict[str, Any]]:
    booked = day.start - timedelta(hours=12)
    kept = ("parcel", "depot", "weight", "ships_at")
    return [{**{k: row[k] for k in kept}, "booked_at": booked, "known_at": booked} for row in _shipped(day)]


def _arrivals(day: Partition) -> list[dict[str, Any]]:
    told = day.end + timedelta(hours=6)
    kept = ("parcel", "depot", "hours_late", "ships_at")
    return [{**{k: row[k] for k in kept}, "reported_at": told, "known_at": told} for row in _shipped(day)]


def _shipped(day: Partition) -> list[dict[str, Any]]:
    draw = np.random.default_rng(day.start.toordinal())
    turned = day.key >= TURNS
    depot, weight = draw.integers(0, 3, PER_DAY), draw.normal(3.0 if turned else 0.0, 1.0, PER_DAY)
    heavy = -(weight - 3) if turned else weight
    late = draw.random(PER_DAY) < 1 / (1 + np.exp(0.8 - 2.5 * heavy - 0.8 * (depot - 1)))
    lost, weighed = draw.random(PER_DAY) < 0.03, draw.random(PER_DAY) > 0.02
    minutes = np.sort(draw.integers(0, 24 * 60, PER_DAY))
    return [
        {
            "parcel": f"{day.key}-{n:03}",
            "depot": "ABC"[depot[n]],
            "weight": float(weight[n]) if weighed[n] else None,
            "hours_late": None if lost[n] else float(late[n]) * 5 - 1,
            "ships_at": day.start + timedelta(minutes=int(minutes[n])),
        }
        for n in range(PER_DAY)
    ]


def drop(case: UseCase, inbox: Path, keys: Sequence[str]) -> None:
    """Put the deliveries of the partitions `keys` into an inbox, as the senders would: a CSV file each."""
    for name, source in case.sources.items():
        for key in keys:
            path = inbox / source.path.replace("{partition}", key)
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("w", newline="") as file:
                out = csv.DictWriter(file, list(source.columns), extrasaction="ignore")
                out.writeheader()
                out.writerows(_as_text(row) for row in raw(case, name, [key]).to_pylist())


def _as_text(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in row.items()}

"""A source with a rule of every kind, rows that keep them all, and mutations of these rows."""

from datetime import UTC, datetime

import pyarrow as pa

from updraft import contract
from updraft.contract import Facts, Surroundings
from updraft.sources.decode import decode
from updraft.spec.sources import Source

ORDER = ["accepted", "quarantined", "blocked"]
NOON = datetime(2013, 4, 1, 12, tzinfo=UTC)
ROWS = 20
GOOD = [
    {"id": n, "at": "2013-04-01T08:00:00Z", "low": n, "high": n + 1, "carrier": "AA", "plane": "N1", "note": "x"}
    for n in range(ROWS)
]
WEEK = {f"2013-03-{day}": ROWS for day in (28, 29, 30)}
RULES = {
    "range": {"between": [0, 99]},
    "among": {"values": ["AA", "UA"]},
    "pattern": {"matches": "[A-Z]{2}"},
    "missing": {"max": 0.1},
    "unique": {},
    "condition": {"sql": "low < high"},
    "references": {"to": "fleet.plane"},
    "rows": {"between": [10, 30]},
    "volume": {"recent": 3, "between": [0.8, 1.2]},
    "freshness": {"within": "6h"},
}


def source(tolerance=0.2, **changes):
    """A source with a rule of every kind; what is given is added to the rule of that kind."""
    rule = {kind: {**told, **changes.get(kind, {})} for kind, told in RULES.items()}
    return Source.model_validate(
        {
            "type": "files",
            "path": "{partition}",
            "key": ["id"],
            "event_time": "at",
            "known_at": {"delay": "1h"},
            "columns": {
                "id": {"type": "integer"},
                "at": {"type": "timestamp"},
                "low": {"type": "integer", "range": rule["range"]},
                "high": {"type": "integer"},
                "carrier": {"type": "string", "among": rule["among"]},
                "plane": {"type": "string", "nullable": True},
                "note": {"type": "string", "nullable": True, "missing": rule["missing"], "pattern": "[a-z]*"},
                "code": {"type": "string", "nullable": True, "pattern": rule["pattern"]},
            },
            "contract": {
                "rows": rule["rows"],
                "unique": rule["unique"],
                "tolerance": tolerance,
                "volume": rule["volume"],
                "freshness": rule["freshness"],
                "conditions": {"rises": rule["condition"]},
                "references": {"plane": rule["references"]},
            },
        }
    )


def delivered(rows, declared):
    lines = [",".join(str(row.get(name, "")) for name in declared.columns) for row in rows]
    return decode("\n".join([",".join(declared.columns), *lines]).encode(), declared)


def check(rows, declared=None, *, published=WEEK, corrects=False, known=("N1", "N2"), zone="UTC"):
    return together({"d": rows}, declared or source(), published, corrects, known, zone)["d"]


def together(deliveries, declared, published=WEEK, corrects=False, known=("N1", "N2"), zone="UTC"):
    """Check deliveries that are all for one partition."""
    facts = Facts("2013-03-31", NOON, corrects, {"plane": pa.array(known, pa.string())})
    around = Surroundings(zone, published, dict.fromkeys(deliveries, facts))
    decoded = {name: delivered(rows, declared) for name, rows in deliveries.items()}
    return contract.check("flights", declared, decoded, around)


def mutated(count=1, **changes):
    return [{**row, **changes} if n < count else row for n, row in enumerate(GOOD)]


LATE = {"at": "2013-04-01T05:59:00Z"}

"""Deliveries that hold a whole table of planes, and what the lake stores of each."""

from tests.inbox import put

from updraft import ingest

DAYS = ["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-04"]
RAW = "raw/tiny/planes"


def source(**contract):
    return {
        "type": "files",
        "path": "planes/{partition}.csv",
        "key": ["id"],
        "event_time": "built_at",
        "known_at": {"delay": "1h"},
        "snapshot": True,
        "columns": {
            "id": {"type": "integer"},
            "seats": {"type": "integer", "nullable": True, "range": [1, 900]},
            "built_at": {"type": "timestamp"},
        },
        "contract": {"rows": [0, 100], "tolerance": 0.6, **contract},
    }


def drop(inbox, day, rows):
    """A delivery of rows `(id, seats)`; text stands for itself."""
    lines = [f"{key},{'' if seats is None else seats},2000-01-01T00:00:00Z" for key, seats in rows]
    put(inbox / f"planes/{day}.csv", "\n".join(["id,seats,built_at", *lines]) + "\n")


def take_in(case, lake, inbox, *days):
    return ingest.stage(case, "planes", days, lake, inbox)


def stored(lake):
    """What is stored of each partition: `+id=seats` and `-id`, in order."""
    rows = lake.read(RAW).sort_by([("partition", "ascending"), ("row", "ascending")]).to_pylist()
    found = {}
    for row in rows:
        found.setdefault(row["partition"], []).append(
            f"-{row['id']}" if row["gone"] else f"+{row['id']}={row['seats']}"
        )
    return {day: " ".join(changes) for day, changes in found.items()}

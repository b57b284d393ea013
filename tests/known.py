"""Raw rows that became known at a moment, and what a query sees of them at another."""

from datetime import UTC, datetime

import pyarrow as pa

from updraft.asof import History, raw_schema, raw_table
from updraft.partition import calendar

ALL = "SELECT id, amount FROM facts"
NOON = "2024-01-03"  # the partition that is computed at noon of the second
DAYS = ["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-04", "2024-01-05", "2024-01-06"]


def moment(said):
    """`09:00` is of 2 January; `4 09:00` of the fourth."""
    day, _, clock = said.rpartition(" ")
    hour, minute = clock.split(":")
    return datetime(2024, 1, int(day or 2), int(hour), int(minute), tzinfo=UTC)


def row(id=1, amount=5.0, known_at="09:00", delivered=None, delivery="d", row=1, gone=None):  # noqa: A002 - its name
    return {
        "id": str(id),
        "amount": amount,
        "known_at": known_at,
        "partition": delivered,
        "delivery": delivery,
        "row": row,
        "gone": gone,
    }


def deliver(lake, case, rows):
    """Write raw rows, each in the partition it was delivered in: where not said, the first whose moment has come."""
    dates = calendar(case)
    made = []
    for r in rows:
        known = moment(r["known_at"]) if isinstance(r["known_at"], str) else r["known_at"]
        key = r["partition"] or dates.last_visible(known).key
        stamps = {"known_at": known, "reported_at": known, "event_time": known, "happened_at": known}
        made.append({**r, **stamps, "partition": key})
    table = pa.Table.from_pylist(made, raw_schema(case.sources["facts"]))
    lake.replace(raw_table(case, "facts"), table, sorted({r["partition"] for r in made}))


def deleting(make_case, **more):
    """The use case with a source whose rows can say that their fact is gone."""
    source = make_case().sources["facts"].model_dump(mode="json", exclude_none=True) | more
    source["columns"]["is_gone"] = {"type": "boolean", "nullable": True}
    return make_case(problem={"lead_time": "12h"}, sources={"facts": source | {"deleted": {"column": "is_gone"}}})


def history(lake, case, *, first, latest):
    return History(lake, case, "features", first=calendar(case).at(first), latest=latest)


def seen(lake, case, key=NOON, at=None):
    """Rows a query sees of a partition, in the order it sees them."""
    day = calendar(case).at(key)
    at = at or day.as_of
    with history(lake, case, first=key, latest=at) as known:
        return known.ask(day, at).to_pylist()


def amounts(*args, **more):
    return [r["amount"] for r in seen(*args, **more)]

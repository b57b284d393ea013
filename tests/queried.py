"""A source that asks a database, and what it delivers of a day."""

from datetime import UTC, datetime

from updraft import sources
from updraft.sources import Found
from updraft.sources.decode import decode

DAY, FUTURE = "2024-01-02", "2999-01-01"
QUERY = "SELECT id, amount, happened_at FROM facts WHERE happened_at >= :start AND happened_at < :end"
COLUMNS = {
    "id": {"type": "string"},
    "amount": {"type": "number", "nullable": True},
    "happened_at": {"type": "timestamp", "timezone": "UTC"},
}


def declared(make_case, query=QUERY, columns=COLUMNS, *, partitions=None, problem=None, **settings):
    """The tiny use case with a source that asks this."""
    source = {"type": "sql", "key": ["id"], "event_time": "happened_at", "known_at": {"delay": "1h"}}
    asked = {"connection": "warehouse", "query": query, **settings}
    about = {"partitions": partitions or {}, "problem": problem or {}}
    return make_case(sources={"facts": {**source, "columns": columns, "sql": asked}}, **about)


def fetch(case, connection, key=DAY):
    found = Found(key, f"warehouse/{key}")
    return sources.fetch(case.sources["facts"], found, None, case=case, connections=lambda name: connection).read()


def rows(case, connection, key=DAY):
    found = decode(fetch(case, connection, key), case.sources["facts"])
    assert found.bad == {}
    return found.rows.drop_columns("row").to_pylist()


def at(day, hour=0):
    return datetime(2024, 1, day, hour, tzinfo=UTC)

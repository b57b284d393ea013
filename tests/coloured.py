"""Facts of the tiny use case, and SQL that makes features of them: an amount, and a colour that is red."""

from datetime import timedelta

import pyarrow as pa

from updraft.asof import raw_schema, raw_table
from updraft.partition import calendar

COLUMNS = "id, happened_at AS event_time, amount, 'red' AS colour"
DAY = "WHERE happened_at >= starts_at AND happened_at < ends_at"
GOOD = f"SELECT {COLUMNS} FROM facts, this_partition {DAY}"


def fact(case, which, amount=5.0, hour=9):
    at = calendar(case).at("2024-01-02").start + timedelta(hours=hour)
    known = calendar(case).at("2024-01-01").start
    return {"id": which, "amount": amount, "happened_at": at, "reported_at": known, "event_time": at, "known_at": known,
            "partition": "2024-01-02", "delivery": "d", "row": 1}  # fmt: skip


def facts(lake, case, *rows):
    table = pa.Table.from_pylist(list(rows), raw_schema(case.sources["facts"]))
    lake.replace(raw_table(case, "facts"), table, ["2024-01-02"])

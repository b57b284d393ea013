"""A source of five columns, and files in every format to decode for it."""

import io
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq

from updraft.spec.sources import Source

COLUMNS = {
    "id": {"type": "integer"},
    "at": {"type": "timestamp"},
    "x": {"type": "number", "nullable": True},
    "ok": {"type": "boolean", "nullable": True},
    "s": {"type": "string", "nullable": True},
}
NOON = datetime(2013, 4, 1, 12, tzinfo=UTC)


def source(format="csv", columns=COLUMNS, caps=None):  # noqa: A002
    return Source.model_validate(
        {
            "type": "files",
            "path": "{partition}",
            "format": format,
            "key": ["id"],
            "event_time": "at",
            "known_at": {"delay": "1h"},
            "columns": columns,
            "caps": caps or {},
        }
    )


def parquet(table, **how):
    sink = io.BytesIO()
    pq.write_table(table, sink, **how)
    return sink.getvalue()


def small(n=2, **changes):
    return pa.table(
        {
            "id": pa.array(range(n), pa.int32()),
            "at": pa.array([NOON] * n, pa.timestamp("ns", "UTC")),
            "x": pa.array([0.5] * n, pa.float32()),
            "ok": [True] * n,
            "s": ["a"] * n,
            **changes,
        }
    )

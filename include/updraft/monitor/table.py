"""Measurements as rows of the long table `monitor/<use case>`: facts of one partition, rewritten whole."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

import pyarrow as pa

Status = Literal["ok", "drifted", "unknown", "info"]

_TEXT, _NUMBER, _WHOLE = pa.string(), pa.float64(), pa.int64()
_COLUMNS: list[tuple[str, pa.DataType]] = [
    *[(name, _TEXT) for name in ("partition", "metric", "subject")],
    *[(name, _NUMBER) for name in ("value", "low", "high")],
    ("n", _WHOLE),
    ("limit", _NUMBER),
    *[(name, _TEXT) for name in ("status", "reason")],
]
SCHEMA = pa.schema(_COLUMNS)


@dataclass(frozen=True)
class Measurement:
    """One number about one partition.

    :param metric: What was measured, such as `feature_psi` or `auc`.
    :param subject: What it was measured of, such as a feature's name.
    :param value: `nan` when undefined; the reason then says why.
    :param low: Lower end of its interval; `nan` when it has none.
    :param high: Upper end of its interval; `nan` when it has none.
    :param n: Rows it rests on.
    :param limit: Where `value` begins to count as drifted; `nan` when nobody judges it.
    :param status: `info` is a number without a limit; `unknown` is neither calm nor alarm.
    """

    partition: str
    metric: str
    subject: str
    value: float
    n: int
    status: Status
    reason: str = ""
    low: float = math.nan
    high: float = math.nan
    limit: float = math.nan


def to_arrow(measurements: Sequence[Measurement]) -> pa.Table:
    """Rows of the table, sorted by metric and subject, so that the same facts are the same bytes.

    A number that is `nan` becomes null: in SQL one `nan` would swallow every average and maximum.
    """
    ordered = sorted(measurements, key=lambda m: (m.partition, m.metric, m.subject))
    rows = [asdict(m) for m in ordered]
    columns = [pa.array([row[f.name] for row in rows], f.type, from_pandas=True) for f in SCHEMA]
    return pa.Table.from_arrays(columns, schema=SCHEMA)


def from_arrow(rows: pa.Table) -> list[Measurement]:
    """Measurements back from rows; a null number is `nan`."""
    columns: list[list[Any]] = [rows[field.name].to_pylist() for field in fields(Measurement)]
    whole: Iterator[list[Any]] = ([math.nan if v is None else v for v in row] for row in zip(*columns, strict=True))
    return [Measurement(*row) for row in whole]

"""Propose columns and a contract from deliveries, for a person to edit: loose enough that these deliveries keep it."""

import math
import re
from collections.abc import Mapping, Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from itertools import combinations
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from updraft.spec.sources import Column

_FEW = 12  # most values of a set
_OFTEN = 5  # times a value of a set comes, on average
_MANY = 20  # fewest texts that show a form
_WIDE = 12  # columns that are tried as parts of a key
_FORMS = ("[A-Z]", "[0-9]", "[A-Z0-9]")


def propose(columns: Mapping[str, Column], deliveries: Sequence[pa.Table]) -> dict[str, Any]:
    """Propose `columns` and `contract`, and `key` and `event_time` where there is a candidate.

    :param columns: Types and zones, as guessed or declared.
    :param deliveries: Rows of each, with these columns.
    """
    whole = pa.concat_tables([rows.select(list(columns)) for rows in deliveries])
    key = _key(columns, deliveries)
    moments = [name for name, column in columns.items() if column.type == "timestamp" and not whole[name].null_count]
    found: dict[str, Any] = {"key": key} if key else {}
    if moments:
        found["event_time"] = moments[0]
    found["columns"] = {
        name: _column(column, whole[name], [rows[name] for rows in deliveries], named=name in (key or ()))
        for name, column in columns.items()
    }
    counts = [len(rows) for rows in deliveries]
    least, most = min(counts), max(counts)
    rows = [int(outward(least / 2, ROUND_FLOOR) or 0), int(outward(2 * most, ROUND_CEILING) or 0) or 1]
    found["contract"] = {"rows": rows, **({} if key else {"unique": False})}
    return found


def outward(value: float, rounding: str) -> float | None:
    """A figure with one digit that counts, at or beyond `value`; `None` where no float is large enough.

    >>> outward(1523, ROUND_CEILING), outward(-43, ROUND_FLOOR), outward(0.012, ROUND_FLOOR)
    (2000.0, -50.0, 0.01)
    """
    exact = Decimal(repr(value))
    if not exact:
        return 0.0
    far = float(exact.quantize(Decimal((0, (1,), exact.adjusted())), rounding=rounding))
    return far if math.isfinite(far) else None


def _column(declared: Column, values: Any, parts: Sequence[Any], *, named: bool) -> dict[str, Any]:
    found: dict[str, Any] = {"type": declared.type}
    if declared.timezone:
        found["timezone"] = declared.timezone
    if values.null_count or not len(values):
        found["nullable"] = True
        share = max((part.null_count / len(part) for part in parts if len(part)), default=1.0)
        if share < 0.5:
            found["missing"] = {"max": min(1.0, math.ceil(150 * share) / 100)}
    present = values.drop_null()
    if declared.type in ("integer", "number") and len(present) and not named:
        low, high = pc.min(present).as_py(), pc.max(present).as_py()
        if low < high:
            found["range"] = [outward(low, ROUND_FLOOR), outward(high, ROUND_CEILING)]
    if declared.type == "string" and not named:
        found.update(_texts(present))
    return found


def _texts(present: Any) -> dict[str, Any]:
    """A set of few values, or a form of one length; neither where it would be a guess."""
    distinct = sorted(pc.unique(present).to_pylist())
    if 0 < len(distinct) <= _FEW and len(present) >= _OFTEN * len(distinct) and all(map(_plain, distinct)):
        return {"among": distinct}
    lengths = {len(text) for text in distinct}
    if len(distinct) < _MANY or len(lengths) != 1 or max(lengths) > _FEW:
        return {}
    forms = (f"{form}{{{max(lengths)}}}" for form in _FORMS)
    return next(({"pattern": form} for form in forms if all(re.fullmatch(form, text) for text in distinct)), {})


def _plain(text: str) -> bool:
    return text.isprintable() and 0 < len(text) <= 40


def _key(columns: Mapping[str, Column], deliveries: Sequence[pa.Table]) -> list[str] | None:
    """The first column, or pair of columns, whose values come only once in each delivery."""
    if not any(len(rows) for rows in deliveries):
        return None
    full = [
        name
        for name, column in columns.items()
        if column.type in ("string", "integer", "timestamp") and not any(rows[name].null_count for rows in deliveries)
    ][:_WIDE]
    candidates = [*((name,) for name in full), *combinations(full, 2)]
    return next((list(names) for names in candidates if all(_tells_apart(names, rows) for rows in deliveries)), None)


def _tells_apart(names: Sequence[str], rows: pa.Table) -> bool:
    return len(rows.group_by(list(names)).aggregate([])) == len(rows)

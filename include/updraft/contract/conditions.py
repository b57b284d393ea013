"""Conditions between the columns of a row, in SQL: checked before they run, and run where nothing else is in reach."""

from typing import Any

import pyarrow as pa

from updraft import query
from updraft.asof import raw_schema
from updraft.errors import SpecInvalid, UpdraftError, ValidationBroken
from updraft.spec.sources import Source

_NEXT = "mend the condition in spec.yaml; `updraft check` tries it."


def check(source: Source, where: str) -> None:
    """Refuse conditions that could not be evaluated.

    :param where: What the source is called, for messages.
    :raises SpecInvalid: If one is not a condition over the columns of a row.
    """
    stored = source.stored()
    try:
        for name, condition in source.contract.conditions.items():
            read = set(query.columns_of(condition.sql, list(source.columns), f"The condition {name}"))
            if dropped := sorted(read - set(stored.columns)):
                raise SpecInvalid(
                    f"The condition {name} reads {dropped[0]!r}, which is dropped at landing.", next_step=_NEXT
                )
        kept(stored, raw_schema(source).empty_table(), "UTC")
    except UpdraftError as refused:
        raise SpecInvalid(f"{where}: {refused.what}", next_step=_NEXT) from refused


def kept(source: Source, rows: pa.Table, zone: str) -> dict[str, pa.ChunkedArray]:
    """Whether each row keeps each condition, by its name; null where that cannot be said.

    :param rows: Declared columns and `row`.
    :param zone: Time zone in which SQL reads hours and days.
    :raises ValidationBroken: If one cannot be evaluated on these rows.
    """
    import duckdb

    conditions = source.contract.conditions
    if not conditions:
        return {}
    for name, condition in conditions.items():
        query.columns_of(condition.sql, list(source.columns), f"The condition {name}")
    with duckdb.connect(config={"threads": 1, "python_enable_replacements": False}) as db:
        db.execute("SET TimeZone = ?", [zone])
        db.register("delivered", rows.select([*source.columns, "row"]))
        db.execute("SET enable_external_access = false")
        db.execute("SET lock_configuration = true")
        return {name: _evaluated(db, name, condition.sql, len(rows)) for name, condition in conditions.items()}


def _evaluated(db: Any, name: str, sql: str, count: int) -> pa.ChunkedArray:
    import duckdb

    try:
        # Beside the number of the row, an expression over many rows is none of one row.
        answer = db.sql(f'SELECT "row", (\n{sql}\n) AS kept FROM delivered').to_arrow_table()  # noqa: S608 - parsed above
    except duckdb.Error as failed:
        raise ValidationBroken(f"The condition {name} failed: {str(failed)[:300]}", next_step=_NEXT) from failed
    found: pa.ChunkedArray = answer.column("kept")
    if not pa.types.is_boolean(found.type) or len(found) != count:
        raise ValidationBroken(f"The condition {name} is {found.type}, not true or false.", next_step=_NEXT)
    return found

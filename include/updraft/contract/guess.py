"""Guess what a file that no spec declares holds, for a person to correct; nothing else in Updraft guesses."""

import csv
import json
import re
from collections.abc import Callable
from io import BytesIO
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from updraft.errors import DeliveryRefused
from updraft.sources.decode import from_csv, guard
from updraft.sources.decode.retyped import fits
from updraft.spec.names import PATTERN
from updraft.spec.sources import Caps, Column, Source, reserved

_LEADING_ZERO = r"^[+-]?0[0-9]"
_TYPES = pa.types
_ARROW: dict[str, Callable[[pa.DataType], bool]] = {
    "boolean": _TYPES.is_boolean,
    "integer": _TYPES.is_integer,
    "number": _TYPES.is_floating,
    "timestamp": lambda kind: _TYPES.is_timestamp(kind) or _TYPES.is_date(kind),
    "string": lambda kind: _TYPES.is_string(kind) or _TYPES.is_large_string(kind) or _TYPES.is_null(kind),
}


def format_of(name: str) -> str:
    """Format a file's name tells.

    :raises DeliveryRefused: If it tells none.

    >>> format_of("flights.csv.gz"), format_of("flights.parquet")
    ('csv', 'parquet')
    """
    ending = name.removesuffix(".gz").rpartition(".")[2].lower()
    if ending not in ("csv", "jsonl", "parquet"):
        raise DeliveryRefused(
            f"{name[:80]} does not say its format.", next_step="name it .csv, .jsonl or .parquet, gzipped or not."
        )
    return ending


def columns(data: bytes, form: str, *, compressed: bool = False) -> tuple[dict[str, Column], list[str]]:
    """Guess the columns of a file, and name those that a spec cannot declare.

    :raises DeliveryRefused: If it is no sound file of its format.
    """
    if form == "parquet":
        found = _of_parquet(data)
    else:
        file: IO[bytes] = BytesIO(data)
        file = guard.inflated(file, Caps()) if compressed else file
        file.seek(guard.text(file, Caps()))
        text = file.read()
        found = _of_csv(text) if form == "csv" else _of_json(text)
    good = {
        name: column for name, column in found.items() if column and re.match(PATTERN, name) and not reserved({name: 1})
    }
    if not good:
        raise DeliveryRefused(
            "It has no column that a spec can declare.",
            next_step="have columns named with lower-case letters, digits and underscores.",
        )
    return good, [name for name in found if name not in good]


def undeclared(columns: dict[str, Column], form: str) -> Source:
    """A source that says no more than how columns are read: no key, no time, no contract."""
    construct: Any = Source.model_construct
    source: Source = construct(format=form, columns=columns, caps=Caps())
    return source


def _of_csv(text: bytes) -> dict[str, Column | None]:
    body = text.lstrip(b"\r\n")
    header = next(csv.reader([re.split(rb"\r\n|\n|\r", body, maxsplit=1)[0].decode()]), [])
    names = dict.fromkeys(header, Column(type="string"))
    pieces = list(from_csv.read(BytesIO(text), 0, undeclared(names, "csv")))
    chunks = {name: [chunk for piece in pieces for chunk in piece.columns[name].chunks] for name in names}
    return {name: _of_text(pa.chunked_array(found, pa.string())) for name, found in chunks.items()}


def _of_text(values: Any) -> Column:
    """The narrowest type that reads every value; figures with leading zeros are names of something."""
    zeros = any(re.match(_LEADING_ZERO, text) for text in values.drop_null().to_pylist())
    kinds: list[Column] = [] if zeros else [Column(type="integer"), Column(type="number")]
    kinds += [Column(type="boolean"), Column(type="timestamp"), Column(type="timestamp", timezone="UTC")]
    if values.null_count == len(values):
        return Column(type="string")
    return next((column for column in kinds if fits(values, column)), Column(type="string"))


def _of_json(text: bytes) -> dict[str, Column | None]:
    records = [_record(line) for line in BytesIO(text) if not line.isspace()]
    values: dict[str, list[Any]] = {}
    for record in records:
        for name, value in record.items():
            values.setdefault(name, []).append(value)
    return {name: _of_values([value for value in found if value is not None]) for name, found in values.items()}


def _record(line: bytes) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return record if isinstance(record, dict) else {}


def _of_values(values: list[Any]) -> Column | None:
    kinds = {type(value) for value in values}
    if kinds == {str}:
        found = _of_text(pa.chunked_array([pa.array(values, pa.string())]))
        return found if found.type == "timestamp" else Column(type="string")
    for type_, fitting in (("boolean", {bool}), ("integer", {int}), ("number", {int, float})):
        if kinds and kinds <= fitting:
            return Column.model_validate({"type": type_})
    return None if kinds else Column(type="string")


def _of_parquet(data: bytes) -> dict[str, Column | None]:
    try:
        schema = pq.read_schema(pa.BufferReader(data))
    except (pa.ArrowException, OSError, ValueError) as damaged:
        raise DeliveryRefused(
            f"It is not a sound Parquet file: {str(damaged)[:200]}", next_step="have it written again."
        ) from damaged
    return {field.name: _of_arrow(field.type) for field in schema}


def _of_arrow(kind: pa.DataType) -> Column | None:
    value = kind.value_type if _TYPES.is_dictionary(kind) else kind
    type_ = next((name for name, fitting in _ARROW.items() if fitting(value)), None)
    naive = type_ == "timestamp" and getattr(value, "tz", None) is None
    return Column.model_validate({"type": type_, **({"timezone": "UTC"} if naive else {})}) if type_ else None

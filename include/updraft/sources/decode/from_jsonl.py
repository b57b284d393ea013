"""JSON lines: one object a line; a key left out, or null, is missing. A line that is no object is broken."""

import json
import math
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from io import BytesIO
from typing import Any

import numpy as np
import pyarrow as pa

from updraft.sources.decode import guard, header
from updraft.sources.decode.carried import Carried, Column, Fault
from updraft.spec.sources import Caps, Source

_BLOCK = 4_000  # rows held as Python objects at a time
_CARRIED: dict[str, tuple[pa.DataType, set[type]]] = {
    "string": (pa.string(), {str}),
    "integer": (pa.int64(), {int}),
    "number": (pa.float64(), {int, float}),
    "boolean": (pa.bool_(), {bool}),
    "timestamp": (pa.string(), {str}),
}
_SPOKEN = {str: "is text", bool: "is a boolean", int: "is a number", float: "is a number", dict: "is an object"}


def read(text: bytes, source: Source) -> Carried:
    """Carry the objects of a text, column by column.

    :param text: UTF-8 without a byte order mark.
    :raises DeliveryRefused: If a declared column is in no object.
    """
    lines = [line for line in BytesIO(text) if not line.isspace()]
    broken: dict[int, str] = {}
    gathered = _Gathered(source)
    for block in _blocks(lines, broken, source.caps):
        gathered.add(block)
    _all_there(list(gathered.names), source, gathered.rows)

    def original(numbers: Sequence[int]) -> list[str]:
        return [_declared_part(lines[number - 1], source) for number in numbers]

    row = np.array(gathered.rows, np.int64)
    return Carried(gathered.columns(), row, tuple(gathered.names), original, broken, gathered.faults())


class _Gathered:
    """Columns that grow block by block, so that few objects live at a time."""

    def __init__(self, source: Source) -> None:
        self.rows: list[int] = []
        self.names: dict[str, None] = {}
        self._source = source
        self._types = {name: column.type for name, column in source.columns.items()}
        self._parts: dict[str, list[Column]] = {name: [] for name in source.columns}
        self._misfits: dict[str, list[tuple[int, str]]] = {name: [] for name in source.columns}

    def add(self, block: Sequence[tuple[int, dict[str, Any]]]) -> None:
        for name, declared in self._types.items():
            values, misfits = _column([record.get(name) for _, record in block], declared)
            self._parts[name].append(values)
            self._misfits[name].extend((len(self.rows) + place, why) for place, why in misfits)
        self.rows.extend(number for number, _ in block)
        for _, record in block:
            if not record.keys() <= self.names.keys():
                self.names.update(dict.fromkeys(record))
                if len(self.names) > self._source.caps.columns:
                    header.compare(list(self.names), self._source)

    def columns(self) -> dict[str, Column]:
        kinds: dict[str, Any] = {name: _CARRIED[declared][0] for name, declared in self._types.items()}
        return {name: pa.chunked_array(parts, kinds[name]) for name, parts in self._parts.items()}

    def faults(self) -> dict[str, list[Fault]]:
        """One fault per column and reason."""
        return {name: _faults(found, len(self.rows)) for name, found in self._misfits.items() if found}


def _blocks(lines: Sequence[bytes], broken: dict[int, str], caps: Caps) -> Iterator[list[tuple[int, dict[str, Any]]]]:
    """Objects with their numbers, some thousands at a time; what is no object is noted in `broken`."""
    decode = json.JSONDecoder(parse_constant=_no_number, object_pairs_hook=_each_key_once).decode
    for start in range(0, len(lines), _BLOCK):
        block = []
        for number, line in enumerate(lines[start : start + _BLOCK], start + 1):
            try:
                record = decode(line.decode())
            except (ValueError, RecursionError) as unreadable:
                broken[number] = f"is not JSON: {str(unreadable)[:80]}"
                continue
            if isinstance(record, dict):
                block.append((number, record))
            else:
                broken[number] = "is not an object"
        guard.bad_rows(len(broken), caps)
        yield block


def _no_number(constant: str) -> float:
    raise ValueError(f"{constant} is not a JSON number")


def _each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("an object has a key twice")
    return found


def _finite(text: str) -> float | str:
    """A number that JSON can write again, or its text.

    >>> _finite("1.5"), _finite("1e999")
    (1.5, '1e999')
    """
    return float(text) if math.isfinite(float(text)) else text


def _column(values: list[Any], declared: str) -> tuple[Column, list[tuple[int, str]]]:
    """Values as Arrow, those that do not fit missing; and their places, with the reason."""
    kind, fitting = _CARRIED[declared]
    if not {type(v) for v in values if v is not None} - fitting:
        try:
            return pa.array(values, kind), []
        except (pa.ArrowInvalid, OverflowError, UnicodeEncodeError):
            pass  # one value at a time tells which
    read = [_value(value, declared) for value in values]
    faults = [(place, why) for place, (_, why) in enumerate(read) if why]
    return pa.array([value for value, _ in read], kind), faults


def _value(value: Any, declared: str) -> tuple[Any, str]:
    """A value as its column carries it, or the reason why it cannot be."""
    if value is None:
        return None, ""
    whole = declared == "integer" and isinstance(value, float) and value.is_integer()
    if type(value) not in _CARRIED[declared][1] and not whole:
        return None, f"{_SPOKEN.get(type(value), 'is a list')}, declared {declared}"
    try:
        return pa.scalar(_plain(value, declared), _CARRIED[declared][0]).as_py(), ""
    except (pa.ArrowInvalid, OverflowError):
        return None, f"does not fit the declared {declared}"
    except UnicodeEncodeError:
        return None, "holds half of a surrogate pair"


def _plain(value: Any, declared: str) -> Any:
    return {"integer": int, "number": float}.get(declared, lambda same: same)(value)


def _faults(found: Sequence[tuple[int, str]], rows: int) -> list[Fault]:
    """The faults of a column, one per reason."""
    faults = {why: np.zeros(rows, np.bool_) for _, why in found}
    for place, why in found:
        faults[why][place] = True
    return [Fault(where, why) for why, where in faults.items()]


def _all_there(names: Sequence[str], source: Source, rows: Sequence[int]) -> None:
    """Refuse objects without a declared column; a nullable one may be left out, unless it seems to be renamed."""
    header.names_fit(names, source)
    strangers = header.undeclared(names, source)
    absent = [
        name
        for name, column in source.columns.items()
        if name not in names and (not column.nullable or get_close_matches(name, [s.casefold() for s in strangers]))
    ]
    if rows and absent:
        raise header.lacking(absent, names, source)


def _declared_part(line: bytes, source: Source) -> str:
    """Text of a line without the columns the spec does not declare."""
    try:
        record = json.loads(line, parse_float=_finite, parse_constant=_no_number, object_pairs_hook=_each_key_once)
    except (ValueError, RecursionError):
        record = None
    if not isinstance(record, dict):
        return json.dumps({"line": line.decode().rstrip("\r\n")}, ensure_ascii=False)
    return json.dumps({name: record.get(name) for name in source.columns}, allow_nan=False)

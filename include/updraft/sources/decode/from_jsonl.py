"""JSON lines: one object a line; a key left out, or null, is missing. A line that is no object is broken."""

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import islice
from typing import IO, Any

import numpy as np
import pyarrow as pa

from updraft.sources.decode import guard, header
from updraft.sources.decode.carried import Carried, Column, Fault
from updraft.spec.sources import Source

_BLOCK = 4_000  # rows held as Python objects at a time
_PIECE = 16  # blocks carried at a time
_CARRIED: dict[str, tuple[pa.DataType, set[type]]] = {
    "string": (pa.string(), {str}),
    "integer": (pa.int64(), {int}),
    "number": (pa.float64(), {int, float}),
    "boolean": (pa.bool_(), {bool}),
    "timestamp": (pa.string(), {str}),
}
_SPOKEN = {str: "is text", bool: "is a boolean", int: "is a number", float: "is a number", dict: "is an object"}


def read(file: IO[bytes], begin: int, source: Source) -> Iterator[Carried]:
    """Carry the objects of a text, column by column.

    :param file: UTF-8, from `begin` on.
    :raises DeliveryRefused: If a declared column is in no object; that is known at the end.
    """
    names: dict[str, None] = {}
    rows, lost = 0, 0
    for first, lines in _pieces(file, begin):
        gathered, broken = _Gathered(source, names), dict[int, str]()
        for block in _blocks(first, lines, broken):
            gathered.add(block)
        rows, lost = rows + len(gathered.rows), lost + len(broken)
        guard.bad_rows(lost, source.caps)
        yield gathered.carried(broken, _Originals(first, lines, source))
    _all_there(list(names), source, rows)


def _pieces(file: IO[bytes], begin: int) -> Iterator[tuple[int, list[bytes]]]:
    """Lines that are not blank, some at a time, and the number of the first of them; at least one piece."""
    file.seek(begin)
    filled = (line for line in file if not line.isspace())
    first, lines = 1, list(islice(filled, _BLOCK * _PIECE))
    while lines or first == 1:
        yield first, lines
        first, lines = first + max(1, len(lines)), list(islice(filled, _BLOCK * _PIECE))


@dataclass(frozen=True)
class _Originals:
    """JSON text of rows, by number."""

    first: int
    lines: Sequence[bytes]
    source: Source

    def __call__(self, numbers: Sequence[int]) -> list[str]:
        return [_declared_part(self.lines[number - self.first], self.source) for number in numbers]


class _Gathered:
    """Columns that grow block by block, so that few objects live at a time."""

    def __init__(self, source: Source, names: dict[str, None]) -> None:
        self.rows: list[int] = []
        self.names = names
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

    def carried(self, broken: dict[int, str], original: _Originals) -> Carried:
        """The rows so far, with one fault per column and reason."""
        kinds: dict[str, Any] = {name: _CARRIED[declared][0] for name, declared in self._types.items()}
        columns: dict[str, Column] = {name: pa.chunked_array(parts, kinds[name]) for name, parts in self._parts.items()}
        faults = {name: _faults(found, len(self.rows)) for name, found in self._misfits.items() if found}
        return Carried(columns, np.array(self.rows, np.int64), tuple(self.names), original, broken, faults)


def _blocks(first: int, lines: Sequence[bytes], broken: dict[int, str]) -> Iterator[list[tuple[int, dict[str, Any]]]]:
    """Objects with their numbers, some thousands at a time; what is no object is noted in `broken`."""
    decode = json.JSONDecoder(parse_constant=_no_number, object_pairs_hook=_each_key_once).decode
    for start in range(0, len(lines), _BLOCK):
        block = []
        for number, line in enumerate(lines[start : start + _BLOCK], first + start):
            try:
                record = decode(line.decode())
            except (ValueError, RecursionError) as unreadable:
                broken[number] = f"is not JSON: {str(unreadable)[:80]}"
                continue
            if isinstance(record, dict):
                block.append((number, record))
            else:
                broken[number] = "is not an object"
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


def _all_there(names: Sequence[str], source: Source, rows: int) -> None:
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

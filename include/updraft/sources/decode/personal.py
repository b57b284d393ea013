"""Personal data: columns the spec marks are hashed or masked before a row is typed, kept or spoken of.

What is staged for a replay is a copy without them, so that the values are gone from the moment of landing.
"""

import hashlib
import hmac
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from updraft.errors import DeliveryRefused
from updraft.sources.decode import carry
from updraft.sources.decode.carried import Carried, Column, Fault, written
from updraft.sources.decode.cast import typed
from updraft.spec.sources import Source

_ABOUT = b"updraft"
_WITHHELD = "(withheld: the source holds personal data)"
_SHAPE = ((r"\p{Lu}+", "X"), (r"[\p{Ll}\p{Lm}\p{Lo}\p{Lt}\p{M}]+", "x"), (r"\p{N}+", "9"), (r"[^ -~]+", "?"))
_LONGEST_SHAPE = 40


def treated(data: bytes, source: Source, key: bytes, *, compressed: bool = False) -> Carried:
    """Carry a delivery without its personal data; no error says what stood in it.

    :param key: Secret of the hashes.
    :raises DeliveryRefused: As `decode`.
    """
    dropped = [name for name, what in source.personal.items() if what == "drop"]
    wanted = source.model_copy(update={"columns": {n: c for n, c in source.columns.items() if n not in dropped}})
    try:
        return _without(carry(data, wanted, compressed=compressed), wanted, key, dropped)
    except DeliveryRefused as refusal:
        refused = refusal
    # Not from its cause: libraries quote values in their messages.
    raise DeliveryRefused(refused.what, next_step=refused.next_step)


def _without(carried: Carried, source: Source, key: bytes, dropped: Sequence[str]) -> Carried:
    columns, faults = dict(carried.columns), {name: list(found) for name, found in carried.faults.items()}
    for name, declared in source.columns.items():
        values, found = typed(columns[name], declared)
        told = [fault for fault in found if fault.where.any()]
        faults[name] = [*faults.get(name, ()), *told]
        if declared.personal:
            columns[name] = _hashed(values, key) if declared.personal == "hash" else _masked(values)
        elif told:  # what no column of its type holds may have slipped in from its neighbour
            columns[name] = pc.if_else(pa.array(np.any([fault.where for fault in told], axis=0)), None, columns[name])
    return replace(
        carried,
        columns=columns,
        faults=faults,
        header=tuple(name for name in carried.header if name not in dropped),
        original=_original(columns, carried.row, carried.broken),
    )


def _original(columns: Mapping[str, Column], row: Any, broken: Mapping[int, str]) -> Any:
    return written(columns, row, dict.fromkeys(broken, _WITHHELD))


def _hashed(values: Column, key: bytes) -> Column:
    """HMAC-SHA-256 of the values as text: equal values give equal hashes, in every column, source and use case.

    >>> _hashed(pa.chunked_array([[7]]), b"k") == _hashed(pa.chunked_array([["7"]]), b"k")
    True
    """
    coded = values.cast(pa.string()).combine_chunks().dictionary_encode()
    hashes = [hmac.digest(key, text.encode(), hashlib.sha256).hex() for text in coded.dictionary.to_pylist()]
    return pa.chunked_array([pa.array(hashes, pa.string()).take(coded.indices)])


def _masked(text: Column) -> Column:
    """The shape of values: `X`, `x` and `9` for runs of capitals, other letters and digits; ASCII signs stay.

    >>> _masked(pa.chunked_array([["Ann O'Neil", "+1 555-0100", "ann@example.org"]])).to_pylist()
    ["Xx X'Xx", '+9 9-9', 'x@x.x']
    """
    for run, sign in _SHAPE:
        text = pc.replace_substring_regex(text, run, sign)
    return pc.utf8_slice_codeunits(text, 0, _LONGEST_SHAPE)


def packed(carried: Carried) -> bytes:
    """A copy to stage, as Parquet."""
    faults = {
        name: [(fault.why, np.flatnonzero(fault.where).tolist()) for fault in found]
        for name, found in carried.faults.items()
    }
    about = json.dumps({"header": carried.header, "broken": dict(carried.broken), "faults": faults})
    table = pa.table({**carried.columns, "row": pa.array(carried.row)})
    sink = io.BytesIO()
    pq.write_table(table.replace_schema_metadata({_ABOUT: about.encode()}), sink, compression="zstd")
    return sink.getvalue()


def unpacked(copy: bytes, source: Source) -> Carried:
    """Read a staged copy again.

    :param source: The source as the lake knows it.
    :raises DeliveryRefused: If it lacks a column that the spec declares today, or has it with another type.
    """
    table = pq.read_table(pa.BufferReader(copy))
    about = json.loads((table.schema.metadata or {})[_ABOUT])
    if absent := [name for name in source.columns if name not in table.column_names]:
        raise DeliveryRefused(
            f"Its staged copy has no {', '.join(absent[:10])}, which the spec did not declare when it landed.",
            next_step="have the partition delivered again; undeclared columns of personal sources are not kept.",
        )
    columns = {name: table[name] for name in source.columns}
    row, broken = table["row"].to_numpy(), {int(number): why for number, why in about["broken"].items()}
    faults = {
        name: [Fault(_flags(places, len(row)), why) for why, places in found]
        for name, found in about["faults"].items()
        if name in columns
    }
    return Carried(columns, row, tuple(about["header"]), _original(columns, row, broken), broken, faults)


def _flags(places: Sequence[int], rows: int) -> Any:
    flags = np.zeros(rows, np.bool_)
    flags[list(places)] = True
    return flags

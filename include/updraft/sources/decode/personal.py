"""Personal data: columns the spec marks are hashed or masked before a row is typed, kept or spoken of.

What is staged for a replay is a copy without them, so that the values are gone from the moment of landing.
"""

import hashlib
import hmac
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from itertools import chain
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from updraft.errors import DeliveryRefused
from updraft.sources.decode import carry, guard
from updraft.sources.decode.carried import Carried, Column, Fault, written
from updraft.sources.decode.cast import typed
from updraft.spec.sources import Caps, Source
from updraft.spool import CHUNK, Left, spool

_ABOUT = "updraft"
_BATCH = 1 << 16
_WITHHELD = "(withheld: the source holds personal data)"
_SHAPE = ((r"\p{Lu}+", "X"), (r"[\p{Ll}\p{Lm}\p{Lo}\p{Lt}\p{M}]+", "x"), (r"\p{N}+", "9"), (r"[^ -~]+", "?"))
_LONGEST_SHAPE = 40


def treated(file: IO[bytes], source: Source, key: bytes, *, compressed: bool = False) -> Iterator[Carried]:
    """Carry a delivery without its personal data, piece by piece; no error says what stood in it.

    :param key: Secret of the hashes.
    :raises DeliveryRefused: As `decode`.
    """
    dropped = [name for name, what in source.personal.items() if what == "drop"]
    wanted = source.model_copy(update={"columns": {n: c for n, c in source.columns.items() if n not in dropped}})
    try:
        pieces, _ = carry(file, wanted, compressed=compressed)
        for carried in pieces():
            yield _without(carried, wanted, key, dropped)
        return
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


def packed(pieces: Iterable[Carried], caps: Caps) -> IO[bytes]:
    """A copy to stage, as Parquet.

    :raises DeliveryRefused: If more rows cannot be read than the caps allow.
    """
    copy, at = spool(), 0
    header: tuple[str, ...] = ()
    broken: dict[int, str] = {}
    faults: dict[str, dict[str, list[int]]] = {}
    with ExitStack() as open_:
        writer: pq.ParquetWriter | None = None
        for carried in pieces:
            table = pa.table({**carried.columns, "row": pa.array(carried.row)})
            if writer is None:
                writer = open_.enter_context(pq.ParquetWriter(copy, table.schema, compression="zstd"))
            writer.write_table(table)
            header, broken = carried.header, {**broken, **carried.broken}
            for name, fault in ((name, fault) for name, found in carried.faults.items() for fault in found):
                places = faults.setdefault(name, {}).setdefault(fault.why, [])
                places.extend((np.flatnonzero(fault.where) + at).tolist())
                guard.bad_rows(len(places), caps)
            at += len(table)
        assert writer is not None  # there is at least one piece
        told = {name: list(found.items()) for name, found in faults.items()}
        writer.add_key_value_metadata({_ABOUT: json.dumps({"header": header, "broken": broken, "faults": told})})
    return copy


def unpacked(copy: IO[bytes], source: Source) -> Iterator[Carried]:
    """Read a staged copy again, piece by piece.

    :param source: The source as the lake knows it.
    :raises DeliveryRefused: If it lacks a column that the spec declares today, or has it with another type.
    """
    copy.seek(0)
    with pq.ParquetFile(pa.PythonFile(Left(copy), "r"), pre_buffer=False, buffer_size=CHUNK) as file:
        about = json.loads((file.metadata.metadata or {})[_ABOUT.encode()])
        if absent := [name for name in source.columns if name not in file.schema_arrow.names]:
            raise DeliveryRefused(
                f"Its staged copy has no {', '.join(absent[:10])}, which the spec did not declare when it landed.",
                next_step="have the partition delivered again; undeclared columns of personal sources are not kept.",
            )
        left, at = {int(number): why for number, why in about["broken"].items()}, 0
        tables = (pa.Table.from_batches([batch]) for batch in file.iter_batches(_BATCH, use_threads=False))
        for table in chain(tables, () if file.metadata.num_rows else (file.schema_arrow.empty_table(),)):
            at += len(table)
            last = math.inf if at == file.metadata.num_rows else table["row"][-1].as_py()
            broken = {number: why for number, why in left.items() if number <= last}
            left = {number: why for number, why in left.items() if number > last}
            yield _piece(table, at - len(table), about, broken, source)


def _piece(table: pa.Table, at: int, about: dict[str, Any], broken: dict[int, str], source: Source) -> Carried:
    columns = {name: table[name] for name in source.columns}
    row = table["row"].to_numpy()
    faults = {
        name: [Fault(_flags(places, at, len(row)), why) for why, places in found]
        for name, found in about["faults"].items()
        if name in columns
    }
    return Carried(columns, row, tuple(about["header"]), _original(columns, row, broken), broken, faults)


def _flags(places: Sequence[int], at: int, rows: int) -> Any:
    flags = np.zeros(rows, np.bool_)
    own = np.asarray(places, np.int64) - at
    flags[own[(own >= 0) & (own < rows)]] = True
    return flags

"""Columns that seem to have another type than declared: of their values, none could be read."""

from collections.abc import Mapping, Sequence
from itertools import islice

import numpy as np
import pyarrow as pa

from updraft.sources.decode.carried import Carried, Column, Fault, mask
from updraft.sources.decode.cast import typed
from updraft.spec import sources

_NARROW_FIRST: tuple[sources.ColumnType, ...] = ("boolean", "integer", "number", "timestamp", "string")


def retyped(
    carried: Carried, declared: Mapping[str, sources.Column], faults: Mapping[str, Sequence[Fault]]
) -> tuple[str, ...]:
    """Say of each column without any readable value how it differs; no value is told, for it may be personal.

    :param faults: What could not be read, by column.
    """
    return tuple(
        _told(name, declared[name], carried.columns[name], found)
        for name, found in faults.items()
        if found and _none_read(carried.columns[name], found)
    )


def _none_read(values: Column, found: Sequence[Fault]) -> bool:
    wrong = np.logical_or.reduce([fault.where for fault in found])
    return bool(wrong.any()) and not bool((mask(values.is_valid()) & ~wrong).any())


def _told(name: str, declared: sources.Column, values: Column, found: Sequence[Fault]) -> str:
    most = max(found, key=lambda fault: int(fault.where.sum()))
    count = int(np.logical_or.reduce([fault.where for fault in found]).sum())
    why = most.why.partition(";")[0]
    return f"{name} is declared {declared.type}, but each of its {count} values {why}{_hint(declared, values)}"


def _hint(declared: sources.Column, values: Column) -> str:
    """The first type, the narrowest first, by which all values could be read; JSON says itself what they are."""
    if not pa.types.is_string(values.type) or not len(values) - values.null_count:
        return ""
    others = (kind for kind in _NARROW_FIRST if kind != declared.type and fits(values, sources.Column(type=kind)))
    return "".join(f"; did you mean `type: {kind}`?" for kind in islice(others, 1))


def fits(values: Column, declared: sources.Column) -> bool:
    """Whether every value can be read as declared."""
    return not any(fault.where.any() for fault in typed(values, declared)[1])

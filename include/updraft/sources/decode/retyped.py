"""Columns that seem to have another type than declared: of their values, none could be read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
import pyarrow as pa

from updraft.sources.decode.carried import Carried, Column, Fault, mask
from updraft.sources.decode.cast import typed
from updraft.spec import sources

_NARROW_FIRST: tuple[sources.ColumnType, ...] = ("boolean", "integer", "number", "timestamp", "string")


@dataclass(frozen=True)
class Retyped:
    """A column of which no value could be read so far; no value is told, for it may be personal.

    :param why: What is wrong with most of them.
    :param hint: The type that may have been meant.
    """

    name: str
    declared: str
    count: int
    why: str
    hint: str

    def __str__(self) -> str:
        return f"{self.name} is declared {self.declared}, but each of its {self.count} values {self.why}{self.hint}"


def retyped(
    before: Mapping[str, Retyped | None],
    carried: Carried,
    declared: Mapping[str, sources.Column],
    faults: Mapping[str, Sequence[Fault]],
) -> dict[str, Retyped | None]:
    """Look at one more piece of a delivery: columns without any readable value, and `None` for those with one.

    :param before: What the pieces before it gave; columns that had no value at all are not in it.
    :param faults: What could not be read, by column.
    """
    found = dict(before)
    for name, values in carried.columns.items():
        if found.get(name, "") is None:
            continue
        wrong = np.logical_or.reduce([fault.where for fault in faults.get(name, ())] or [np.zeros(len(values), bool)])
        if (mask(values.is_valid()) & ~wrong).any():
            found[name] = None
        elif count := int(wrong.sum()):
            one, earlier = _told(name, declared[name], values, faults[name]), found.get(name)
            found[name] = one if earlier is None else replace(earlier, count=earlier.count + count)
    return found


def _told(name: str, declared: sources.Column, values: Column, found: Sequence[Fault]) -> Retyped:
    most = max(found, key=lambda fault: int(fault.where.sum()))
    count = int(np.logical_or.reduce([fault.where for fault in found]).sum())
    return Retyped(name, declared.type, count, most.why.partition(";")[0], _hint(declared, values))


def _hint(declared: sources.Column, values: Column) -> str:
    """The first type, the narrowest first, by which all values could be read; JSON says itself what they are."""
    if not pa.types.is_string(values.type) or not len(values) - values.null_count:
        return ""
    others = (kind for kind in _NARROW_FIRST if kind != declared.type and fits(values, sources.Column(type=kind)))
    return "".join(f"; did you mean `type: {kind}`?" for kind in islice(others, 1))


def fits(values: Column, declared: sources.Column) -> bool:
    """Whether every value can be read as declared."""
    return not any(fault.where.any() for fault in typed(values, declared)[1])

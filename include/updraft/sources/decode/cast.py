"""Give carried columns their declared types, all rows at once; a value that cannot be read becomes a fault."""

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from updraft.sources.decode import moment
from updraft.sources.decode.carried import Column, Fault, mask
from updraft.spec import sources

Typed = tuple[Column, list[Fault]]
_LARGEST, _SMALLEST = "9223372036854775807", "-9223372036854775808"
_NUMBER = r"^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$"
_TRUE, _FALSE = ("true", "True", "TRUE", "1"), ("false", "False", "FALSE", "0")


def typed(values: Column, declared: sources.Column) -> Typed:
    """Values in the declared type, null where they cannot be read, and the faults."""
    if declared.type == "timestamp":
        return _timestamp(values, declared)
    if declared.type == "string":
        return _string(values)
    from_text: dict[str, Callable[[Column], Typed]] = {
        "integer": _integer_text, "number": _number_text, "boolean": _boolean_text,
    }  # fmt: skip
    others = {"integer": _integer, "number": _number, "boolean": lambda same: (same, [])}
    return (from_text if pa.types.is_string(values.type) else others)[declared.type](values)


def _string(values: Column) -> Typed:
    return values, [Fault(mask(pc.match_substring(values, "\0")), "holds a NUL")]


def _timestamp(values: Column, declared: sources.Column) -> Typed:
    if pa.types.is_string(values.type):
        return moment.from_text(values, declared.timezone, declared.fold)
    if values.type.tz is not None:
        return moment.in_range(values.cast(moment.STAMP))
    moments, faults = moment.from_local(values, declared.timezone, declared.fold)
    moments, outside = moment.in_range(moments)
    return moments, [*faults, *outside]


def _integer_text(text: Column) -> Typed:
    """Whole numbers; a fraction of zeros, as spreadsheets and data frames write it, is none."""
    plain = pc.replace_substring_regex(text, r"\.0+$", "")
    whole = pc.match_substring_regex(plain, r"^-?[0-9]+$")
    digits = pc.if_else(whole, pc.replace_substring_regex(plain, r"^(-?)0+([0-9])", r"\1\2"), None)
    fits = pc.if_else(pc.starts_with(digits, "-"), _at_most(digits, _SMALLEST), _at_most(digits, _LARGEST))
    good = mask(fits)
    values = pc.if_else(good, digits, None).cast(pa.int64())
    too_big = mask(whole) & ~good
    return values, [Fault(~mask(whole) & mask(text.is_valid()), "is not an integer"), Fault(too_big, "exceeds 64 bits")]


def _at_most(digits: Column, limit: str) -> Column:
    """Whether numbers are no longer than `limit`, and if as long, no larger: as text they sort alike."""
    length, most = pc.utf8_length(digits), pa.scalar(len(limit))
    return pc.or_(pc.less(length, most), pc.and_(pc.equal(length, most), pc.less_equal(digits, pa.scalar(limit))))


def _number_text(text: Column) -> Typed:
    good = pc.match_substring_regex(text, _NUMBER)
    values, infinite = _number(pc.if_else(good, text, None).cast(pa.float64()))
    unreadable = ~mask(good) & mask(text.is_valid())
    return values, [*infinite, Fault(unreadable, "is not a finite number; a missing one is an empty field")]


def _boolean_text(text: Column) -> Typed:
    yes, no = pc.is_in(text, pa.array(_TRUE)), pc.is_in(text, pa.array(_FALSE))
    values = pc.if_else(pc.or_(yes, no), yes, None)
    return values, [Fault(~mask(pc.or_(yes, no)) & mask(text.is_valid()), "is not true or false")]


def _integer(values: Column) -> Typed:
    if pa.types.is_floating(values.type):
        numbers = values.cast(pa.float64())
        whole = mask(pc.and_(pc.equal(pc.floor(numbers), numbers), pc.less(pc.abs(numbers), pa.scalar(2.0**63))))
        kept = pc.if_else(whole, numbers, None).cast(pa.int64(), safe=False)
        return kept, [Fault(~whole & mask(values.is_valid()), "is not an integer of 64 bits")]
    if pa.types.is_uint64(values.type):
        fits = mask(pc.less_equal(values, pa.scalar(2**63 - 1, pa.uint64())))
        kept = pc.if_else(fits, values, None).cast(pa.int64())
        return kept, [Fault(~fits & mask(values.is_valid()), "exceeds 64 bits")]
    return values.cast(pa.int64()), []


def _number(values: Column) -> Typed:
    numbers = values.cast(pa.float64(), safe=False)
    finite = mask(pc.is_finite(numbers))
    infinite = ~finite & mask(numbers.is_valid())
    if not np.any(infinite):
        return numbers, []
    return pc.if_else(finite, numbers, None), [Fault(infinite, "is not a finite number; leave a missing one empty")]

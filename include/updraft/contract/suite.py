"""From the contract in a spec to Great Expectations: one expectation per rule, each marked with the rule's name."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from updraft.contract import library
from updraft.query import columns_of
from updraft.spec import patterns
from updraft.spec.contract import Coverage, Rule
from updraft.spec.sources import Column, Source

if TYPE_CHECKING:
    from great_expectations import ExpectationSuite
    from great_expectations.expectations.expectation import Expectation

DELIVERY = "delivery"
_SEPARATOR = ":"  # in no name of a column, so what is computed never meets what is declared


def of_rows(name: str, source: Source) -> "ExpectationSuite":
    """What every row must satisfy by itself, over a frame with the declared columns and those of `computed`."""
    gxe, contract = library.expectations(), source.contract

    expectations: list[Expectation] = []
    for column, declared in source.columns.items():
        if column in required(source):
            expectations.append(gxe.ExpectColumnValuesToNotBeNull(column=column, meta={"rule": "not_null"}))
        expectations.extend(_of_values(column, declared))
    for condition, told in contract.conditions.items():
        reads = columns_of(told.sql, list(source.columns), condition)
        expectations.append(_true(computed(told.kind, condition), _marked(told, reads=reads)))
    for column, reference in contract.references.items():
        expectations.append(_true(computed(reference.kind, column), _marked(reference)))
    return _suite(f"rows of {name}", expectations)


def of_keys(name: str, source: Source) -> "ExpectationSuite":
    """What rows must satisfy together, over a frame with their keys and `delivery`.

    Keys are unique within a delivery: across deliveries, the newest version known wins.
    """
    if source.contract.unique is None:
        return _suite(f"keys of {name}", [])
    once = library.expectations().ExpectCompoundColumnsToBeUnique(
        column_list=[DELIVERY, *source.key], ignore_row_if="any_value_is_missing", **_marked(source.contract.unique)
    )
    return _suite(f"keys of {name}", [once])


def _of_values(column: str, declared: Column) -> "Iterator[Expectation]":
    gxe = library.expectations()
    if declared.missing is not None:
        mostly = 1 - declared.missing.max
        yield gxe.ExpectColumnValuesToNotBeNull(column=column, mostly=mostly, **_marked(declared.missing))
    if declared.range is not None and declared.range.between != (None, None):
        low, high = declared.range.between
        yield gxe.ExpectColumnValuesToBeBetween(column=column, min_value=low, max_value=high, **_marked(declared.range))
    if declared.among is not None:
        among = list(declared.among.values)
        yield gxe.ExpectColumnValuesToBeInSet(column=column, value_set=among, **_marked(declared.among))
    if declared.pattern is not None:
        whole = patterns.whole(declared.pattern.matches)
        yield gxe.ExpectColumnValuesToMatchRegex(column=column, regex=whole, **_marked(declared.pattern))


def of_deliveries(name: str, source: Source) -> "ExpectationSuite":
    """What every delivery must satisfy, over a frame with a row per delivery: its counts and its age in hours."""
    gxe, contract = library.expectations(), source.contract

    fewest, most = contract.rows.between
    expectations: list[Expectation] = [
        gxe.ExpectColumnValuesToBeBetween(column="rows", min_value=fewest, max_value=most, **_marked(contract.rows)),
        gxe.ExpectColumnValuesToBeBetween(column="unreadable_rows", max_value=0, meta={"rule": "type"}),
    ]
    if contract.freshness is not None:
        oldest = contract.freshness.within.total_seconds() / 3600
        expectations.append(
            gxe.ExpectColumnValuesToBeBetween(column="hours_old", max_value=oldest, **_marked(contract.freshness))
        )
    return _suite(f"deliveries of {name}", expectations)


def of_volumes(name: str, source: Source) -> "ExpectationSuite":
    """What the number of rows must satisfy beside recent partitions, over a frame with a row per delivery."""
    gxe, volume = library.expectations(), source.contract.volume

    if volume is None:
        return _suite(f"volumes of {name}", [])
    low, high = volume.between
    between = gxe.ExpectColumnValuesToBeBetween(column="volume", min_value=low, max_value=high, **_marked(volume))
    return _suite(f"volumes of {name}", [between])


def of_coverage(name: str, rule: Coverage) -> "ExpectationSuite":
    """How many rows there must be for the facts of a source, over a frame with a row per partition."""
    low, high = rule.between
    between = library.expectations().ExpectColumnValuesToBeBetween(
        column="coverage", min_value=low, max_value=high, **_marked(rule)
    )
    return _suite(f"coverage of {name}", [between])


def required(source: Source) -> set[str]:
    """Columns in which no value may be missing.

    A row that does not say when it became known could show up in the past.
    """
    declared = {name for name, column in source.columns.items() if not column.nullable}
    return declared | ({source.known_at.column} if source.known_at.column else set())


def computed(kind: str, name: str) -> str:
    """Column of the frame that says whether a row keeps a condition or a reference.

    >>> computed("condition", "lands_later")
    'condition:lands_later'
    """
    return f"{kind}{_SEPARATOR}{name}"


def named(column: str) -> str:
    """Name, in the spec, of what a column of the frame is about.

    >>> named("condition:lands_later"), named("delay")
    ('lands_later', 'delay')
    """
    return column.rpartition(_SEPARATOR)[2]


def _suite(name: str, expectations: "list[Expectation]") -> "ExpectationSuite":
    library.expectations()
    from great_expectations import ExpectationSuite

    return ExpectationSuite(name=name, expectations=expectations)


def _true(column: str, marks: dict[str, Any]) -> "Expectation":
    found: Expectation = library.expectations().ExpectColumnValuesToBeInSet(column=column, value_set=[True], **marks)
    return found


def _marked(rule: Rule, **more: Any) -> dict[str, Any]:
    """What an expectation carries of its rule, where it is not the usual: the library copies it thousands of times."""
    meta = {"rule": rule.kind, **more}
    if rule.severity != "quarantine":
        meta["severity"] = rule.severity
    if rule.limit is not None:
        meta["limit"] = rule.limit
    return {"meta": meta, **({"severity": "warning"} if rule.severity == "warn" else {})}

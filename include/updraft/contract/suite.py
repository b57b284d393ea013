"""From the contract in a spec to Great Expectations: one expectation per rule, each marked with the rule's name."""

from typing import TYPE_CHECKING, Any

from updraft.spec import patterns
from updraft.spec.sources import Source

if TYPE_CHECKING:
    from great_expectations import ExpectationSuite
    from great_expectations.expectations.expectation import Expectation

DELIVERY = "delivery"


def of_rows(name: str, source: Source) -> "ExpectationSuite":
    """What every row must satisfy, over a frame with the declared columns and `delivery`.

    Keys are unique within a delivery: across deliveries, the newest version known wins.
    """
    gxe = _library()

    expectations: list[Expectation] = []
    for column, declared in source.columns.items():
        if column in required(source):
            expectations.append(gxe.ExpectColumnValuesToNotBeNull(column=column, meta=_rule("not_null")))
        if declared.range is not None and declared.range != (None, None):
            low, high = declared.range
            expectations.append(
                gxe.ExpectColumnValuesToBeBetween(column=column, min_value=low, max_value=high, meta=_rule("range"))
            )
        if declared.among is not None:
            among = list(declared.among)
            expectations.append(gxe.ExpectColumnValuesToBeInSet(column=column, value_set=among, meta=_rule("among")))
        if declared.pattern is not None:
            wanted = patterns.whole(declared.pattern)
            expectations.append(gxe.ExpectColumnValuesToMatchRegex(column=column, regex=wanted, meta=_rule("pattern")))
    if source.contract.unique:
        expectations.append(
            gxe.ExpectCompoundColumnsToBeUnique(
                column_list=[DELIVERY, *source.key], ignore_row_if="any_value_is_missing", meta=_rule("unique")
            )
        )
    return _suite(f"rows of {name}", expectations)


def of_deliveries(name: str, source: Source) -> "ExpectationSuite":
    """What every delivery must satisfy, over a frame with a row per delivery: `delivery`, `rows`, `unreadable_rows`."""
    gxe = _library()

    fewest, most = source.contract.rows
    return _suite(
        f"deliveries of {name}",
        [
            gxe.ExpectColumnValuesToBeBetween(column="rows", min_value=fewest, max_value=most, meta=_rule("rows")),
            gxe.ExpectColumnValuesToBeBetween(column="unreadable_rows", max_value=0, meta=_rule("type")),
        ],
    )


def required(source: Source) -> set[str]:
    """Columns in which no value may be missing.

    A row that does not say when it became known could show up in the past.
    """
    declared = {name for name, column in source.columns.items() if not column.nullable}
    return declared | ({source.known_at.column} if source.known_at.column else set())


def _suite(name: str, expectations: "list[Expectation]") -> "ExpectationSuite":
    from great_expectations import ExpectationSuite

    return ExpectationSuite(name=name, expectations=expectations)


def _library() -> Any:
    # Its classes are not re-exported in a way a type checker sees.
    import great_expectations.expectations

    return great_expectations.expectations


def _rule(name: str) -> dict[str, Any]:
    return {"rule": name}

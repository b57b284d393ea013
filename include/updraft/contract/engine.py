"""Run Great Expectations over a frame, or fail: what was not validated to the end is not valid."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from updraft.contract import library
from updraft.contract.suite import DELIVERY, named
from updraft.errors import ValidationBroken
from updraft.spec.contract import DeliveryRule

if TYPE_CHECKING:
    from great_expectations import ExpectationSuite
    from pandas import DataFrame

# COMPLETE names every row; index columns would cost a dictionary per row, so a row is named by its place.
_FORMAT: dict[str, Any] = {
    "result_format": "COMPLETE",
    "partial_unexpected_count": 10,
    "return_unexpected_index_query": False,
}
_OF_DELIVERIES = {rule.kind for rule in DeliveryRule.__subclasses__()}
# The library keeps the frame in its context: two threads would judge each other's rows.
_one_at_a_time = Lock()


@dataclass(frozen=True)
class Finding:
    """What one expectation found.

    :param rule: Name of the rule of the contract it stands for.
    :param columns: Columns of the frame the rule is about.
    :param places: Rows of the frame that break it, ascending.
    :param config: The expectation, as Great Expectations describes it.
    """

    rule: str
    columns: tuple[str, ...]
    places: NDArray[np.int64]
    config: Any

    @property
    def named(self) -> tuple[str, ...]:
        """Columns of the source, or the condition, the rule is about."""
        return tuple(named(column) for column in self.columns if column != DELIVERY)

    @property
    def shown(self) -> tuple[str, ...]:
        """Columns of the source whose values tell what broke the rule."""
        return tuple(self.config.meta.get("reads", self.named))

    @property
    def of_delivery(self) -> bool:
        """Whether the rule is about deliveries, and names no rows."""
        return self.rule in _OF_DELIVERIES

    @property
    def label(self) -> str:
        """The rule and what it is about."""
        return self.rule if self.of_delivery else f"{self.rule}({', '.join(self.named)})"

    @property
    def severity(self) -> str:
        """What a break of the rule leads to."""
        return str(self.config.meta.get("severity", "quarantine"))

    @property
    def limit(self) -> float | None:
        """Share of rows that may break it before the delivery is blocked; `None` when it never blocks by itself."""
        limit: float | None = self.config.meta.get("limit")
        return limit


def nothing(suite: "ExpectationSuite") -> list[Finding]:
    """Findings of a suite over no rows, which no expectation can be broken by."""
    found = [expectation.configuration for expectation in suite.expectations]
    return [Finding(config.meta["rule"], _columns(config), np.zeros(0, np.int64), config) for config in found]


def run(suite: "ExpectationSuite", frame: "DataFrame") -> list[Finding]:
    """Evaluate every expectation of `suite` on `frame`, whose rows are numbered from 0.

    :raises ValidationBroken: If there is nothing to evaluate, the library fails, or an expectation gave no clear
        answer.
    """
    if not suite.expectations:
        raise _broken(f"The suite {suite.name!r} has no expectations.")
    try:
        with _one_at_a_time:
            batch = frames().get_batch(batch_parameters={"dataframe": frame})
            results = batch.validate(suite, result_format=_FORMAT).results
    except Exception as fault:
        raise _broken(f"Great Expectations failed on {suite.name!r}: {str(fault)[:300]}") from fault
    if len(results) != len(suite.expectations):
        raise _broken(f"{len(results)} of {len(suite.expectations)} expectations of {suite.name!r} were evaluated.")
    return [_finding(result, len(frame)) for result in results]


def _finding(result: Any, rows: int) -> Finding:
    config = result.expectation_config
    if result.exception_info.get("raised_exception") is not False:
        raise _broken(f"{config.type} on {_columns(config)} raised an error: {str(result.exception_info)[:300]}")
    places = np.array(sorted(result.result["unexpected_index_list"]), np.int64)
    lenient = config.kwargs.get("mostly", 1) < 1
    consistent = len(places) == result.result["unexpected_count"] and (lenient or result.success == (len(places) == 0))
    if not consistent or result.result["element_count"] != rows:
        raise _broken(f"{config.type} on {_columns(config)} did not name every row that breaks it.")
    return Finding(config.meta["rule"], _columns(config), places, config)


def _columns(config: Any) -> tuple[str, ...]:
    listed: Sequence[str] = config.kwargs.get("column_list", ())
    return tuple(listed) or (config.kwargs["column"],)


def _broken(what: str) -> ValidationBroken:
    return ValidationBroken(
        what, next_step="check the contract in spec.yaml with `updraft check`; nothing is published unvalidated."
    )


@cache
def frames() -> Any:
    """Return the one batch definition of this process; a context per run would cost more than the run."""
    library.expectations()
    logging.getLogger("great_expectations").setLevel(logging.ERROR)
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False, metric_calculations=False)
    asset = context.data_sources.add_pandas("deliveries").add_dataframe_asset("rows")
    return asset.add_batch_definition_whole_dataframe("all")

"""What the work on the partition took, from ingestion to its scores: every task, and 1,000 predictions.

Only first runs count: a partition that is worked on again, and found done, is measured again to the same bytes.
`updraft costs` adds up everything.
"""

from collections.abc import Iterator

from updraft.monitor.table import Measurement
from updraft.monitor.window import Window
from updraft.operation import total


def measure(window: Window) -> Iterator[Measurement]:
    """Rows, seconds, processor seconds and memory of each task; the price where the spec has rates."""
    costs = window.case.costs
    for one in window.spent:
        told = {"seconds": one.seconds, "cpu_seconds": one.cpu_seconds, "peak_memory": float(one.peak_memory)}
        told |= {} if one.rows is None else {"rows": float(one.rows)}
        told |= {} if costs is None else {"cost": one.cost(costs)}
        for name, value in told.items():
            yield Measurement(window.partition, f"task_{name}", one.task, value, one.rows or 0, "info")
    yield from _per_thousand(window)


def _per_thousand(window: Window) -> Iterator[Measurement]:
    every = total(window.case, window.spent)
    if not every.predictions:
        return
    amounts = {"seconds": every.seconds, "cpu_seconds": every.cpu_seconds}
    if window.case.costs:
        amounts["cost"] = every.cost[window.case.costs.currency]
    for name, amount in amounts.items():
        value = every.per_thousand(amount)
        yield Measurement(window.partition, f"{name}_per_thousand", "predictions", value, every.predictions, "info")

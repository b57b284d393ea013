"""The monitoring report of a partition or a month, from what lake and ledger say now."""

from updraft import health
from updraft.health.charts import charts
from updraft.lake import Lake
from updraft.ledger import Ledger
from updraft.life.monitor import monitor_table
from updraft.monitor import table
from updraft.spec.model import UseCase


def report(case: UseCase, asked: str, lake: Lake) -> bytes:
    """Write a report as HTML; the same lake gives the same page.

    :param asked: A partition, a month such as `2024-01`, or nothing for the newest partition.
    :raises PartitionInvalid: If nothing of it was monitored.
    """
    place = monitor_table(case)
    span = health.span(asked, lake.partitions(place))
    rows = lake.read(place, span.keys)
    measured = [] if rows is None else sorted(table.from_arrow(rows), key=lambda one: (one.partition, one.metric))
    told = health.facts(case, span, measured, Ledger(lake, case.name).records())
    return health.page(told, charts(measured))

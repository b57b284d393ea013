"""What a use case looks like from outside, as numbers that a time series can be made of.

Names and units follow the conventions of Prometheus (prometheus.io/docs/practices/naming).
"""

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from updraft import features, score
from updraft.lake import Lake
from updraft.ledger import Ledger
from updraft.monitor import table
from updraft.partition import calendar
from updraft.records import State
from updraft.spec.model import UseCase

PREFIX = "updraft_"
HELP: Mapping[str, str] = {
    "use_case_info": "A use case, its owner and tags.",
    "newest_partition_timestamp_seconds": "Start of the newest partition of a table.",
    "champion_info": "The model whose scores count.",
    "ledger_records": "Decisions on record.",
    "decisions": "Decisions on record, by kind.",
    "open_incidents": "Incidents that nothing has ended yet, by kind.",
    "measure": "A measurement of the newest partition that was monitored.",
    "measure_low": "Lower end of its interval.",
    "measure_high": "Upper end of its interval.",
    "measure_limit": "Where it begins to count as drifted.",
    "measure_rows": "Rows it rests on.",
    "measure_status": "1 for the status it has: ok, drifted, unknown or info.",
}


@dataclass(frozen=True)
class Gauge:
    """One number, with the labels that tell it from others of its name."""

    name: str
    labels: Mapping[str, str]
    value: float


def gauges(case: UseCase, lake: Lake) -> Iterator[Gauge]:
    """Tell where a use case stands, by its lake and its ledger."""
    state = Ledger(lake, case.name).state()
    own = {"use_case": case.name}
    yield Gauge("use_case_info", {**own, "owner": case.owner.name, "tags": ",".join(case.tags)}, 1)
    yield from (Gauge(one.name, {**own, **one.labels}, one.value) for one in _of_tables(case, lake))
    yield from (Gauge(one.name, {**own, **one.labels}, one.value) for one in _of_models(state))
    yield from (Gauge(one.name, {**own, **one.labels}, one.value) for one in _of_monitor(case, lake))


def _of_tables(case: UseCase, lake: Lake) -> Iterator[Gauge]:
    dates = calendar(case)
    places = {"features": features.table(case), "scores": score.table(case), "monitor": f"monitor/{case.name}"}
    for name, place in places.items():
        if known := lake.partitions(place):
            newest = dates.at(known[-1]).start.timestamp()
            yield Gauge("newest_partition_timestamp_seconds", {"table": name}, newest)


def _of_models(state: State) -> Iterator[Gauge]:
    if state.champion:
        yield Gauge("champion_info", {"model": state.champion}, 1)
    yield Gauge("ledger_records", {}, state.head)
    for kind, count in sorted(Counter(record.kind for record in state.records).items()):
        yield Gauge("decisions", {"kind": kind}, count)
    lasting = Counter(str(record.facts.get("kind", "unknown")) for record in state.open_incidents)
    for what, count in sorted(lasting.items()):
        yield Gauge("open_incidents", {"kind": what}, count)


def _of_monitor(case: UseCase, lake: Lake) -> Iterator[Gauge]:
    place = f"monitor/{case.name}"
    newest = lake.partitions(place)[-1:]
    rows = lake.read(place, newest) if newest else None
    for one in [] if rows is None else table.from_arrow(rows):
        labels = {"metric": one.metric, "subject": one.subject}
        numbers = {"": one.value, "_low": one.low, "_high": one.high, "_limit": one.limit, "_rows": float(one.n)}
        yield from (Gauge(f"measure{which}", labels, v) for which, v in numbers.items() if not math.isnan(v))
        yield Gauge("measure_status", {**labels, "status": one.status}, 1)

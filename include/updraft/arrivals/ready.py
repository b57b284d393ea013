"""Which of the partitions that were named can be ingested now: read from the sources and the lake."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from updraft import ingest
from updraft.errors import DeliveryRefused
from updraft.lake import Lake
from updraft.partition import calendar
from updraft.sources import Connections, from_environment
from updraft.spec.model import UseCase


def ready(
    case: UseCase,
    partitions: Sequence[str],
    lake: Lake,
    inbox: Path,
    moment: datetime,
    *,
    connections: Connections = from_environment,
) -> dict[str, str]:
    """Say of each partition named what it waits for; empty when it can be ingested now.

    A run that starts before every source has delivered would wait for hours, and enough of them would keep others from
    starting: whoever can write a message must not be able to do that.
    """
    return {key: _waits_for(case, key, lake, inbox, moment, connections) for key in partitions}


def _waits_for(case: UseCase, key: str, lake: Lake, inbox: Path, moment: datetime, connections: Connections) -> str:
    dates = calendar(case)
    # The clock, too, brings a partition one step before it begins.
    newest = dates.step(dates.containing(max(moment + dates.lead_time, dates.first.start)), 1)
    last = newest if case.partitions.last is None else min(newest, dates.at(case.partitions.last))
    if dates.at(key) > last:
        return f"its time, {last} is the newest yet"
    try:
        absent = [s for s in case.sources if ingest.awaited(case, s, [key], lake, inbox, connections=connections)]
    except DeliveryRefused as refused:
        return f"a delivery that can be read: {refused.what}"
    return f"a delivery of {', '.join(absent)}" if absent else ""

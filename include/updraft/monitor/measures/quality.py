"""How good the data was that the sources delivered for the window's partitions, as ingestion found it."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from updraft.monitor.level import Level, level, share
from updraft.monitor.measures.features import first_ten
from updraft.monitor.supply import Supplied
from updraft.monitor.table import Measurement, Status
from updraft.monitor.window import Window

_SHOWN = 10


def measure(window: Window) -> Iterator[Measurement]:
    """Rows, shares of bad and late rows, lag, rules broken and partitions that are not whole, of every source."""
    for source in dict.fromkeys(one.source for one in window.supply):
        yield from _source(window, source, [one for one in window.supply if one.source == source])


def _source(window: Window, source: str, supply: Sequence[Supplied]) -> Iterator[Measurement]:
    rows, limit = np.array([one.rows for one in supply]), window.case.sources[source].contract.tolerance
    yield _partitions(window, source, supply)
    if not any(one.deliveries for one in supply):
        yield Measurement(window.partition, "quality_rows", source, math.nan, 0, "unknown", "no delivery is on record")
        return
    total = int(rows.sum())
    yield _row(
        window, "quality_rows", source, level(rows, np.array([one.partition for one in supply])), total, top=math.inf
    )
    bad = share([one.bad for one in supply], rows)
    yield _row(window, "quality_bad_share", source, bad, total, limit=limit)
    yield _row(window, "quality_late_share", source, share([one.late for one in supply], rows), total)
    lags = [one.lag_hours for one in supply if not math.isnan(one.lag_hours)]
    if lags:
        yield Measurement(window.partition, "quality_lag_hours", source, max(lags), len(lags), "info")
    broken = sum((Counter(one.broken) for one in supply), Counter())
    for rule, count in sorted(broken.items(), key=lambda pair: (-pair[1], pair[0]))[:_SHOWN]:
        yield Measurement(window.partition, "quality_breaches", f"{source}: {rule}", count, total, "info")


def _partitions(window: Window, source: str, supply: Sequence[Supplied]) -> Measurement:
    torn = [one.partition for one in supply if not one.whole]
    reason = f"not all is published of {first_ten(torn)}" if torn else ""
    status: Status = "drifted" if torn else "ok"
    return Measurement(window.partition, "quality_torn", source, len(torn), len(supply), status, reason, limit=1)


def _row(
    window: Window, metric: str, source: str, now: Level | None, rows: int, *, top: float = 1.0, limit: float = math.nan
) -> Measurement:
    """A level as a row of the table; judged against `limit` where there is one."""
    if now is None:
        return Measurement(window.partition, metric, source, math.nan, rows, "unknown", "no row was delivered")
    low, high = now.bounds(window.case.gates.confidence, 0, top)
    status: Status = "info" if math.isnan(limit) else "ok"
    if now.value > limit:
        status = "drifted" if low > limit else "unknown"
    return Measurement(window.partition, metric, source, now.value, rows, status, "", low=low, high=high, limit=limit)

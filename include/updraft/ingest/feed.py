"""One source of one use case and the lake it feeds: what was delivered, and where everything about it lies."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from updraft.errors import DeliveryMissing, SpecInvalid, did_you_mean
from updraft.lake import Lake
from updraft.partition import Calendar, calendar
from updraft.spec.model import UseCase
from updraft.spec.sources import Source

NAMES_SHOWN = 10
PACKED = (".gz", ".zst")


@dataclass(frozen=True)
class Delivery:
    """What a source handed over for a partition, recorded once.

    :param delivery: SHA-256 of the bytes as they came.
    :param origin: Where they came from, as the kind of source names it.
    :param bytes: Their number.
    :param rows: Rows, readable or not.
    :param columns: Names of the columns delivered.
    :param extra_columns: Those that the spec did not declare.
    :param landed_at: When they landed (UTC, ISO 8601); never before what landed earlier for the partition.
    :param revision: Deliveries of the same origin and partition that landed before and were not blocked.
    :param redacted: SHA-256 of the copy staged in place of the bytes, when the source holds personal data.
    """

    partition: str
    delivery: str
    origin: str
    bytes: int
    rows: int
    columns: tuple[str, ...]
    extra_columns: tuple[str, ...]
    landed_at: str
    revision: int
    redacted: str = ""

    @property
    def identity(self) -> str:
        """Partition and digest: equal bytes may be delivered for two partitions."""
        return f"{self.partition}/{self.delivery}"

    @property
    def landed(self) -> datetime:
        """The moment it landed."""
        return datetime.fromisoformat(self.landed_at)

    @property
    def compressed(self) -> bool:
        """Whether the bytes are gzip or Zstandard."""
        return self.origin.endswith(PACKED)


def stem(origin: str) -> str:
    """Where a delivery came from, whether it was compressed or not."""
    return origin.removesuffix(".gz").removesuffix(".zst")


@dataclass(frozen=True)
class Feed:
    """One source of one use case, and the lake it feeds.

    :param name: Name of the source in the spec.
    """

    case: UseCase
    name: str
    lake: Lake

    @property
    def source(self) -> Source:
        """The source as declared.

        :raises SpecInvalid: If the use case has none of that name.
        """
        if self.name not in self.case.sources:
            raise SpecInvalid(
                f"{self.case.name} has no source {self.name[:80]!r}; {did_you_mean(self.name[:80], self.case.sources)}",
                next_step="name a source of spec.yaml.",
            )
        return self.case.sources[self.name]

    @property
    def calendar(self) -> Calendar:
        """Calendar of the use case."""
        return calendar(self.case)

    def keys(self, partitions: Sequence[str]) -> list[str]:
        """The partitions, each once and in order.

        :raises PartitionInvalid: If one is not of the use case's calendar.
        """
        return sorted({self.calendar.at(key).key for key in partitions})

    def place(self, kind: str, identity: str, ending: str = "") -> str:
        """Key of an object about a delivery, or about a partition."""
        return f"{kind}/{self.case.name}/{self.name}/{identity}{ending}"

    def landed(self, partitions: Sequence[str]) -> list[Delivery]:
        """Deliveries of partitions, in the order they landed.

        :raises DeliveryMissing: If a partition has none.
        """
        keys = self.keys(partitions)
        deliveries = self.deliveries(keys)
        if missing := sorted(set(keys) - {delivery.partition for delivery in deliveries}):
            raise DeliveryMissing(
                f"Nothing of {self.name} has landed for {named(missing)}.", next_step="land the delivery first."
            )
        return deliveries

    def deliveries(self, keys: Sequence[str]) -> list[Delivery]:
        """Deliveries of partitions that landed, by partition and in the order they landed."""
        wanted = set(keys)
        prefix = self.place("deliveries", next(iter(wanted))) if len(wanted) == 1 else self._prefix("deliveries")
        places = [place for place in self.lake.keys(prefix) if place.split("/")[3] in wanted] if wanted else []
        found = [self.recorded(place) for place in places]
        return sorted(found, key=lambda d: (d.partition, d.landed, d.delivery))

    def partitions(self) -> list[str]:
        """Partitions of which anything landed, in order."""
        return sorted({place.split("/")[3] for place in self.lake.keys(self._prefix("deliveries"))})

    def recorded(self, place: str) -> Delivery:
        """The record of a delivery."""
        found: dict[str, Any] = json.loads(self.lake.get(place))
        listed = {name: tuple(found[name]) for name in ("columns", "extra_columns")}
        return Delivery(**{**found, **listed})

    def record(self, delivery: Delivery) -> Delivery:
        """Record a delivery, unless it is recorded already; return the record that counts."""
        place = self.place("deliveries", delivery.identity, ".json")
        if self.lake.create(place, json.dumps(asdict(delivery), sort_keys=True).encode()):
            return delivery
        return self.recorded(place)

    def announce(self, partitions: Sequence[str]) -> None:
        """Mark partitions as published."""
        for key in sorted(set(partitions) - self.published()):
            self.lake.create(self.place("published", key), b"{}\n")

    def published(self) -> set[str]:
        """Partitions marked as published."""
        return {place.split("/")[3] for place in self.lake.keys(self._prefix("published"))}

    def _prefix(self, kind: str) -> str:
        return f"{kind}/{self.case.name}/{self.name}"


def named(names: Sequence[str]) -> str:
    """Name the first ten of some things, and the number of the others.

    >>> named(["a", "b"]), named(list("abcdefghijkl"))
    ('a, b', 'a, b, c, d, e, f, g, h, i, j and 2 more')
    """
    rest = len(names) - NAMES_SHOWN
    return ", ".join(names[:NAMES_SHOWN]) + (f" and {rest} more" if rest > 0 else "")

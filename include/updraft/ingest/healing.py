"""Healing: a blocked delivery is history once a later one for its partition was published."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from updraft.ingest.feed import Delivery, stem


@dataclass(frozen=True)
class Healed:
    """A blocked delivery, and the one that took its place.

    :param delivery: The blocked one; its bad rows stay in quarantine.
    :param by: The first one that landed later and was not blocked.
    """

    partition: str
    delivery: str
    by: str

    @property
    def identity(self) -> str:
        """Identity of the blocked delivery."""
        return f"{self.partition}/{self.delivery}"


def healings(deliveries: Sequence[Delivery], blocked: Collection[str]) -> list[Healed]:
    """Blocked deliveries that were followed by one that is not.

    :param deliveries: In the order they landed.
    :param blocked: Identities of those that are blocked.
    """
    found = []
    for old in deliveries:
        later = [
            new
            for new in deliveries
            if new.partition == old.partition and new.landed > old.landed and new.identity not in blocked
        ]
        if old.identity in blocked and later:
            found.append(Healed(old.partition, old.delivery, later[0].delivery))
    return found


def superseded(deliveries: Sequence[Delivery], out: Collection[str]) -> set[str]:
    """Identities of deliveries that were blocked when a later one of the same name took their place.

    Such a one stays history even if its rows would pass by now: it counts as known at the very moment of the one that
    repaired it, so that of their rows a digest would decide which counts.

    :param deliveries: In the order they landed.
    :param out: Identities of those of which nothing may be published; they take nobody's place.
    """
    by_name: dict[tuple[str, str], list[Delivery]] = defaultdict(list)
    for delivery in deliveries:
        by_name[delivery.partition, stem(delivery.origin)].append(delivery)
    return {
        old.identity
        for same in by_name.values()
        for old in same
        for new in same
        # One that was not blocked would have been counted by the next.
        if new.landed > old.landed and new.revision <= old.revision and new.identity not in out
    }

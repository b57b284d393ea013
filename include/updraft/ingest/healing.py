"""Healing: a blocked delivery is history once a later one for its partition was published."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from updraft.ingest.feed import Delivery


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

"""What a contract asks about that no delivery says of itself: values handed in, so that a verdict can be repeated."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Facts:
    """What is known about one delivery from elsewhere.

    :param partition: Key of the partition it is for; keys sort as partitions do.
    :param as_of: The moment that partition is computed for.
    :param corrects: Whether an earlier delivery of the same origin counts already.
    :param known: Values that each referring column may take, as an Arrow array, by column.
    """

    partition: str
    as_of: datetime
    corrects: bool = False
    known: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Surroundings:
    """What is known from elsewhere when deliveries are judged.

    :param zone: Time zone in which conditions read hours and days.
    :param published: Rows of the largest delivery of partitions published before, by key.
    :param facts: Facts about each delivery, by the name it is judged under.
    """

    zone: str = "UTC"
    published: Mapping[str, int] = field(default_factory=dict)
    facts: Mapping[str, Facts] = field(default_factory=dict)

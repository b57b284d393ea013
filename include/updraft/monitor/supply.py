"""What a source delivered for a partition, in counts: data quality as ingestion found it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Supplied:
    """What a source delivered for one partition.

    :param whole: Whether all that landed for the partition is published.
    :param rows: Rows delivered.
    :param bad: Rows among them that broke the contract.
    :param late: Rows of deliveries that came after partitions which should have seen them were computed.
    :param deliveries: How often something was delivered.
    :param lag_hours: Hours from the partition's moment to its first delivery, below zero when it came in good time;
        `nan` where there is none, or history is replayed and its own clock is gone.
    :param broken: How often each rule was broken, those that only warn among them.
    """

    source: str
    partition: str
    whole: bool
    rows: int = 0
    bad: int = 0
    late: int = 0
    deliveries: int = 0
    lag_hours: float = math.nan
    broken: Mapping[str, int] = field(default_factory=dict)

"""Do feature rows hold anything that became known only after their moment?"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Hindsight:
    """Sampled feature rows against the same rows computed anew, blind to what became known after their moment.

    :param partitions: Partitions looked at.
    :param rows: Rows looked at.
    :param changed: Rows that differ by column; `row` counts those that only one side has.
    :param where: Partitions with such rows.
    :param unknown: Why nothing could be computed anew; empty when it could.
    """

    partitions: tuple[str, ...]
    rows: int
    changed: Mapping[str, int] = field(default_factory=dict)
    where: tuple[str, ...] = ()
    unknown: str = ""

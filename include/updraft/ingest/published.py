"""What ingestion did, in counts: the rows delivered are those published, those quarantined and those held back."""

from dataclasses import dataclass, field
from typing import Any

from updraft.ingest.late import Late, told


@dataclass(frozen=True)
class Published:
    """What was published.

    :param deliveries: Deliveries of the partitions, blocked ones included.
    :param rows: Rows of the raw table that stem from them.
    :param quarantined: Bad rows of deliveries that were published without them.
    :param held: Rows of deliveries of which nothing is published: a later one, or a person, made them history.
    :param version: Version of the raw table; `None` while no row was ever published.
    :param warned: How often rules that only warn were broken.
    :param reports: Keys of the reports that have something to tell, or of the first; at most ten.
    :param late: What came after partitions that should have seen it were computed.
    :param gone: Rows among `rows` that no snapshot delivered: they say that a fact is gone.
    :param unchanged: Rows of snapshots that were known already, and are not stored again.
    :param new: Deliveries that landed in this run; it says nothing about what stands there.
    """

    source: str
    partitions: tuple[str, ...]
    deliveries: int
    rows: int
    quarantined: int
    held: int
    version: int | None
    warned: int
    reports: tuple[str, ...]
    late: tuple[Late, ...] = ()
    gone: int = 0
    unchanged: int = 0
    new: int = field(default=0, compare=False)

    def summary(self) -> dict[str, Any]:
        """Counts, small enough to hand from task to task."""
        return {
            "source": self.source,
            "partitions": len(self.partitions),
            "deliveries": self.deliveries,
            "rows": self.rows,
            "quarantined": self.quarantined,
            "held": self.held,
            "version": self.version,
            "warned": self.warned,
            "reports": list(self.reports),
            "new": self.new,
            "news": f"{self.new} new" if self.new else "nothing new: these bytes have landed before",
            **({"gone": self.gone, "unchanged": self.unchanged} if self.gone or self.unchanged else {}),
            **({"late": told(self.late)} if self.late else {}),
        }

"""What one rule found in one delivery, whether its rows were looked at all at once or some at a time."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from updraft.contract.engine import Finding

SHOWN = 10


@dataclass(frozen=True)
class Tally:
    """What one rule found in one delivery.

    :param finding: The rule, as an expectation of Great Expectations; its places are of no use here.
    :param rows: Rows it was held against; 1 for a rule about the delivery as a whole.
    :param broken: How many break it.
    :param seen: How many have what it asks about; more than `broken` where some may be as they are.
    :param sample: Their first values, as a person reads them.
    :param reasons: Row numbers, and what is wrong with each; not more of them than are set aside one by one.
    """

    finding: Finding
    rows: int
    broken: int
    seen: int
    sample: tuple[str, ...] = ()
    reasons: tuple[tuple[int, str], ...] = ()

    @property
    def only_warns(self) -> bool:
        """Whether a row that breaks the rule is good all the same."""
        return self.finding.severity == "warn"

    def and_then(self, other: "Tally", most: int) -> "Tally":
        """Both, of rows that follow each other.

        :param most: Reasons to keep.
        """
        return Tally(
            finding=self.finding,
            rows=self.rows + other.rows,
            broken=self.broken + other.broken,
            seen=self.seen + other.seen,
            sample=(self.sample + other.sample)[:SHOWN],
            reasons=self.reasons + other.reasons[: max(0, most - len(self.reasons))],
        )

    def forgiven(self) -> "Tally":
        """The same, with nothing wrong: what was seen may be as it is."""
        return replace(self, broken=0, reasons=())


def followed(before: Sequence[Tally] | None, then: Sequence[Tally], most: int) -> list[Tally]:
    """The tallies of rows that follow each other, rule by rule.

    :param most: Reasons to keep of each.
    """
    return list(then) if before is None else [a.and_then(b, most) for a, b in zip(before, then, strict=True)]

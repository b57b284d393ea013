"""What the contract says about one delivery, with everything that was found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from updraft.contract.bad import Bad, bad_rows, counted
from updraft.contract.outcome import Outcome, against, decide, warned
from updraft.contract.report import Section
from updraft.sources.decode import Decoded
from updraft.spec.sources import Source

_SHOWN = 10


@dataclass(frozen=True)
class Checked:
    """What the contract says about one delivery.

    :param good: The rows that keep it, with their numbers in `row`.
    :param bad: The rows that do not, by number.
    :param outcome: `accepted` without bad rows, `quarantined` with few, `blocked` with too many or when a rule that
        blocks is broken.
    :param why: The reason for the outcome, in counts.
    :param summary: Rows, bad rows, bad rows per rule, what was warned of (at most ten rules each, those broken most
        often), and the rules that could not be judged, with the reason.
    :param report_html: The page a person reads.
    """

    good: pa.Table
    bad: tuple[Bad, ...]
    outcome: Outcome
    why: str
    summary: Mapping[str, Any]
    report_html: bytes = b""

    def notes(self) -> list[str]:
        """The outcome in a few lines."""
        warnings = [f"warning: {rule}, {count} times" for rule, count in self.summary["warned"].items()]
        untold = [f"not judged: {rule}, because {why}" for rule, why in self.summary["undefined"].items()]
        return [f"{self.outcome}: {self.why}", *warnings, *untold]

    def with_report(self, page: bytes) -> "Checked":
        """The same, with its page."""
        return replace(self, report_html=page)


def judged(source: Source, decoded: Decoded, sections: Sequence[Section], undefined: Mapping[str, str]) -> Checked:
    """Say what follows from the findings of one delivery.

    :param sections: Findings about it as a whole, then about its rows.
    :param undefined: Rules that could not be judged, and why.
    """
    own = sections[-1]
    bad = bad_rows(source, decoded, own)
    outcome, why = decide(source, decoded.count, len(bad), against(source, decoded, sections))
    if outcome == "blocked":
        why = "; ".join([why, *decoded.retyped[:_SHOWN]])
    summary = {
        "rows": decoded.count,
        "bad": len(bad),
        "rules": counted(decoded, own),
        "warned": warned(sections),
        "undefined": dict(undefined),
    }
    return Checked(_without(decoded.rows, bad), bad, outcome, why, summary)


def _without(rows: pa.Table, bad: Sequence[Bad]) -> pa.Table:
    numbers = pa.array([row.row for row in bad], pa.int64())
    return rows.filter(pc.invert(pc.is_in(rows["row"], numbers))) if bad else rows

"""What the contract says about one delivery, with everything that was found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from updraft.contract.bad import Bad, bad_rows, counted
from updraft.contract.outcome import Outcome, against, decide, warned
from updraft.contract.tally import SHOWN, Tally
from updraft.sources.decode import Decoded
from updraft.spec.sources import Source


@dataclass(frozen=True)
class Checked:
    """What the contract says about one delivery.

    :param bad: The rows that do not keep it, by number; of a delivery with more than `caps.bad_rows`, the first.
    :param outcome: `accepted` without bad rows, `quarantined` with few, `blocked` with too many or when a rule that
        blocks is broken.
    :param why: The reason for the outcome, in counts.
    :param summary: Rows, bad rows, bad rows per rule, what was warned of (at most ten rules each, those broken most
        often), the rules that could not be judged, with the reason, and how many bad rows are `kept` if not all.
    :param report_html: The page a person reads.
    """

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


def judged(
    source: Source,
    decoded: Decoded,
    whole: Sequence[Tally],
    rows: Sequence[Tally],
    bad: int,
    undefined: Mapping[str, str],
) -> Checked:
    """Say what follows from the findings about one delivery.

    :param whole: Findings about it as a whole.
    :param rows: Findings about its rows.
    :param bad: Bad rows.
    :param undefined: Rules that could not be judged, and why.
    """
    tallies = [*whole, *rows]
    outcome, why = decide(source, decoded.count, bad, against(source, decoded, tallies, bad))
    if outcome == "blocked":
        why = "; ".join([why, *decoded.retyped[:SHOWN]])
    aside = bad_rows(source, decoded, rows)
    summary = {
        "rows": decoded.count,
        "bad": bad,
        "rules": counted(decoded, rows),
        "warned": warned(tallies),
        "undefined": dict(undefined),
        **({"kept": len(aside)} if len(aside) < bad else {}),
    }
    return Checked(aside, outcome, why, summary)

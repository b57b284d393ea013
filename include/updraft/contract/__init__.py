"""Hold deliveries against the contract in the spec: which rows are good, which are not and why, and what follows.

A delivery's outcome depends on nothing but its own rows and the facts handed in, whether it is checked alone or with
others in one run, all at once or some rows at a time.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from updraft.contract import engine, report, suite
from updraft.contract.bad import Bad
from updraft.contract.checked import Checked, judged
from updraft.contract.conditions import check as check_conditions
from updraft.contract.deliveries import Measured, counts, volumes
from updraft.contract.facts import Facts, Surroundings
from updraft.contract.keys import Keys
from updraft.contract.outcome import Outcome, decide, told
from updraft.contract.rows import looked_at, parts, settled
from updraft.contract.tally import Tally, followed
from updraft.sources.decode import Decoded
from updraft.spec.sources import Source

__all__ = [
    "Bad",
    "Checked",
    "Facts",
    "Outcome",
    "Surroundings",
    "Tallies",
    "check",
    "check_conditions",
    "decide",
    "of_each",
]

Tallies = dict[str, list[Tally]]
Flags = dict[str, NDArray[np.bool_]]


def check(
    name: str,
    source: Source,
    deliveries: Mapping[str, Decoded],
    around: Surroundings | None = None,
    *,
    more: Tallies | None = None,
    judge: Callable[..., Checked] = judged,
) -> dict[str, Checked]:
    """Hold every delivery against the contract of `source`, in as few runs of Great Expectations as memory allows.

    Of the rows that share a key within a delivery, the first that is good otherwise stays and the others are bad.

    :param name: Name of the source, for the report.
    :param deliveries: Deliveries by any name that tells them apart.
    :param around: What rules about volume, freshness and references need to know.
    :param more: What else was found about them as a whole.
    :param judge: What follows from the findings about one of them.
    :return: What was found, by the same names.
    :raises ValidationBroken: If the validation could not be carried out; then no delivery has an outcome.
    """
    around = around or Surroundings()
    rows, bad = _of_rows(name, source, deliveries, around)
    measured = counts(source, deliveries, around)
    counted = of_each(source, engine.run(suite.of_deliveries(name, source), measured.frame), measured)
    whole = {d: [*(more or {}).get(d, ()), *counted[d]] for d in deliveries}
    untold = {d: measured.untold(d) for d in deliveries}
    found = {d: judge(source, decoded, whole[d], rows[d], bad[d], untold[d]) for d, decoded in deliveries.items()}
    if source.contract.volume is not None:
        out = [delivery for delivery, one in found.items() if one.outcome == "blocked"]
        beside = volumes(source, deliveries, around, out)
        volume = of_each(source, engine.run(suite.of_volumes(name, source), beside.frame), beside)
        whole = {d: [*volume[d], *whole[d]] for d in deliveries}
        untold = {d: {**untold[d], **beside.untold(d)} for d in deliveries}
        found = {d: judge(source, decoded, whole[d], rows[d], bad[d], untold[d]) for d, decoded in deliveries.items()}
    pages = report.pages(
        name, {d: [*whole[d], *rows[d]] for d in deliveries}, {d: one.notes() for d, one in found.items()}
    )
    return {d: one.with_report(pages[d]) for d, one in found.items()}


def _of_rows(
    name: str, source: Source, deliveries: Mapping[str, Decoded], around: Surroundings
) -> tuple[Tallies, dict[str, int]]:
    """Findings about the rows of each delivery, and the number of its bad rows."""
    found: Tallies = {}
    bad: Flags = {name: np.zeros(decoded.count + 1, np.bool_) for name, decoded in deliveries.items()}
    with Keys(name, source) as keys:
        for together in parts(deliveries):
            for part, tallies, numbers in looked_at(name, source, together, around):
                found[part.delivery] = followed(found.get(part.delivery), tallies, source.caps.bad_rows + 1)
                bad[part.delivery][numbers] = True
            keys.put(together)
        for delivery, tallies in found.items():
            found[delivery] = settled(source, tallies)
            bad[delivery][[n for tally in found[delivery] if not tally.only_warns for n, _ in tally.reasons]] = True
        for delivery, (tally, numbers) in keys.repeated(deliveries, bad).items():
            found[delivery].append(tally)
            if not tally.only_warns:
                bad[delivery][numbers] = True
    return found, {d: _bad(decoded, bad[d], found[d]) for d, decoded in deliveries.items()}


def _bad(decoded: Decoded, flags: NDArray[np.bool_], tallies: Sequence[Tally]) -> int:
    """Bad rows; where there are more than are set aside, at least as many as the rule broken most often has."""
    most = max((tally.broken for tally in tallies if not tally.only_warns), default=0)
    return max(int(flags.sum()), most) + len(decoded.bad)


def of_each(source: Source, found: Sequence[engine.Finding], measured: Measured) -> Tallies:
    """Findings about deliveries as a whole, by delivery."""
    rows: list[Any] = measured.frame.to_dict("records")
    return {
        row["delivery"]: [_whole(source, finding, row, place in finding.places) for finding in found]
        for place, row in enumerate(rows)
    }


def _whole(source: Source, found: engine.Finding, row: Mapping[str, Any], broken: bool) -> Tally:
    sample = (", ".join(str(row[column]) for column in found.shown),) if broken else ()
    reasons = ((0, told(source, found.rule, row)),) if broken else ()
    return Tally(found, 1, int(broken), int(broken), sample, reasons)

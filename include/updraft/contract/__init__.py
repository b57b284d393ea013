"""Hold deliveries against the contract in the spec: which rows are good, which are not and why, and what follows.

A delivery's outcome depends on nothing but its own rows and the facts handed in, whether it is checked alone or with
others in one run.
"""

from collections.abc import Callable, Mapping

from updraft.contract import engine, report, suite
from updraft.contract.bad import Bad
from updraft.contract.checked import Checked, judged
from updraft.contract.conditions import check as check_conditions
from updraft.contract.deliveries import Measured, counts, volumes
from updraft.contract.facts import Facts, Surroundings
from updraft.contract.outcome import Outcome, decide
from updraft.contract.report import Section
from updraft.contract.rows import ends_of, findings, frame_of
from updraft.sources.decode import Decoded
from updraft.spec.sources import Source

__all__ = [
    "Bad",
    "Checked",
    "Facts",
    "Outcome",
    "Section",
    "Sections",
    "Surroundings",
    "check",
    "check_conditions",
    "decide",
    "of_each",
]

Sections = dict[str, tuple[Section, ...]]


def check(
    name: str,
    source: Source,
    deliveries: Mapping[str, Decoded],
    around: Surroundings | None = None,
    *,
    more: Sections | None = None,
    judge: Callable[..., Checked] = judged,
) -> dict[str, Checked]:
    """Hold every delivery against the contract of `source`, in one run of Great Expectations.

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
    measured = counts(source, deliveries, around)
    sections = _of_rows(name, source, deliveries, around)
    totals = engine.run(suite.of_deliveries(name, source), measured.frame)
    sections = _before(more or {}, _before(of_each(totals, measured), sections))
    found = {d: judge(source, decoded, sections[d], measured.untold(d)) for d, decoded in deliveries.items()}
    if source.contract.volume is not None:
        out = [delivery for delivery, one in found.items() if one.outcome == "blocked"]
        beside = volumes(source, deliveries, around, out)
        sections = _before(of_each(engine.run(suite.of_volumes(name, source), beside.frame), beside), sections)
        untold = {d: {**measured.untold(d), **beside.untold(d)} for d in deliveries}
        found = {d: judge(source, decoded, sections[d], untold[d]) for d, decoded in deliveries.items()}
    pages = report.pages(name, sections, {d: one.notes() for d, one in found.items()})
    return {d: one.with_report(pages[d]) for d, one in found.items()}


def _of_rows(name: str, source: Source, deliveries: Mapping[str, Decoded], around: Surroundings) -> Sections:
    frame, ends = frame_of(source, deliveries, around), ends_of(deliveries)
    found = findings(name, source, frame, list(ends.values()))
    return {d: (Section(found, frame, end - len(deliveries[d].rows), end),) for d, end in ends.items()}


def of_each(found: list[engine.Finding], measured: Measured) -> Sections:
    """Findings over one row per delivery, by delivery."""
    frame = measured.frame
    return {d: (Section(found, frame, place, place + 1),) for place, d in enumerate(frame["delivery"])}


def _before(first: Sections, then: Sections) -> Sections:
    return {delivery: (*first.get(delivery, ()), *sections) for delivery, sections in then.items()}

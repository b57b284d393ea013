"""Hold deliveries against the contract in the spec: which rows are good, which are not and why, and what follows.

A delivery's outcome depends on nothing but its own rows, whether it is checked alone or with others in one run.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from updraft.contract import engine, report, suite
from updraft.contract.bad import Bad, bad_rows, counted
from updraft.contract.engine import Finding
from updraft.contract.report import Section, within
from updraft.sources.decode import Decoded
from updraft.spec.sources import Source

if TYPE_CHECKING:
    from pandas import DataFrame

Outcome = Literal["accepted", "quarantined", "blocked"]


@dataclass(frozen=True)
class Checked:
    """What the contract says about one delivery.

    :param good: The rows that keep it, with their numbers in `row`.
    :param bad: The rows that do not, by number.
    :param outcome: `accepted` without bad rows, `quarantined` with few, `blocked` with too many or with a wrong
        number of rows.
    :param why: The reason for the outcome, in counts.
    :param summary: Rows, bad rows, and bad rows per rule (at most ten rules, those broken most often).
    :param report_html: The page a person reads.
    """

    good: pa.Table
    bad: tuple[Bad, ...]
    outcome: Outcome
    why: str
    summary: Mapping[str, Any]
    report_html: bytes


def check(name: str, source: Source, deliveries: Mapping[str, Decoded]) -> dict[str, Checked]:
    """Hold every delivery against the contract of `source`, in one run of Great Expectations.

    Of the rows that share a key within a delivery, the first that is good otherwise stays and the others are bad.

    :param name: Name of the source, for the report.
    :param deliveries: Deliveries by any name that tells them apart.
    :return: What was found, by the same names.
    :raises ValidationBroken: If the validation could not be carried out; then no delivery has an outcome.
    """
    frame = _frame(source, deliveries)
    rows = _row_findings(name, source, frame)
    counts = _counts(deliveries)
    totals = engine.run(suite.of_deliveries(name, source), counts)
    ends = np.cumsum([len(decoded.rows) for decoded in deliveries.values()]).tolist()
    sections = {
        delivery: (Section(totals, counts, place, place + 1), Section(rows, frame, end - len(decoded.rows), end))
        for place, ((delivery, decoded), end) in enumerate(zip(deliveries.items(), ends, strict=True))
    }
    pages = report.pages(name, sections)
    return {
        delivery: _checked(source, decoded, *sections[delivery], pages[delivery])
        for delivery, decoded in deliveries.items()
    }


def _checked(source: Source, decoded: Decoded, totals: Section, own: Section, page: bytes) -> Checked:
    bad = bad_rows(decoded, own)
    miscounted = any(len(within(found, totals)) for found in totals.findings if found.rule == "rows")
    outcome, why = decide(source, decoded.count, len(bad), miscounted=miscounted)
    summary = {"rows": decoded.count, "bad": len(bad), "rules": counted(decoded, own)}
    return Checked(_without(decoded.rows, bad), bad, outcome, why, summary, page)


def decide(source: Source, rows: int, bad: int, *, miscounted: bool) -> tuple[Outcome, str]:
    """Say what follows from the counts; more bad rows never lead to a milder outcome."""
    if miscounted:
        fewest, most = source.contract.rows
        return "blocked", f"it has {rows} rows, the contract asks for {fewest} to {most}"
    if bad == 0:
        return "accepted", f"all {rows} rows keep the contract"
    share = f"{bad} of {rows} rows ({bad / rows:.2%}) break the contract"
    if bad / rows > source.contract.tolerance:
        return "blocked", f"{share}, more than the tolerated {source.contract.tolerance:.2%}"
    return "quarantined", f"{share}, within the tolerated {source.contract.tolerance:.2%}"


def _frame(source: Source, deliveries: Mapping[str, Decoded]) -> "DataFrame":
    """All rows below each other, with the name of their delivery."""
    import pandas as pd

    lengths = [len(decoded.rows) for decoded in deliveries.values()]
    rows = pa.concat_tables([decoded.rows.select(list(source.columns)) for decoded in deliveries.values()])
    # Whole numbers beside missing ones would become floats, and large ones would change.
    frame = rows.to_pandas(types_mapper=lambda kind: pd.Int64Dtype() if kind == pa.int64() else None)
    return frame.assign(delivery=np.repeat(list(deliveries), lengths))


def _counts(deliveries: Mapping[str, Decoded]) -> "DataFrame":
    import pandas as pd

    found = [(name, decoded.count, len(decoded.bad)) for name, decoded in deliveries.items()]
    return pd.DataFrame(found, columns=["delivery", "rows", "unreadable_rows"])


def _row_findings(name: str, source: Source, frame: "DataFrame") -> list[Finding]:
    """What breaks the rules about rows; of the rows that share a key, the first that is good otherwise is not named."""
    found = engine.run(suite.of_rows(name, source), frame)
    broken = [finding.places for finding in found if finding.rule != "unique"]
    return [_but_the_first(f, frame, np.concatenate(broken)) if f.rule == "unique" else f for f in found]


def _but_the_first(shared: Finding, frame: "DataFrame", broken: NDArray[np.int64]) -> Finding:
    """The finding about keys without the row that keeps each key, and without those that are bad anyway."""
    left = np.setdiff1d(shared.places, broken)
    again = frame.iloc[left][list(shared.columns)].duplicated(keep="first").to_numpy()
    return replace(shared, places=left[again])


def _without(rows: pa.Table, bad: Sequence[Bad]) -> pa.Table:
    numbers = pa.array([row.row for row in bad], pa.int64())
    return rows.filter(pc.invert(pc.is_in(rows["row"], numbers))) if bad else rows

"""What breaks the rules about single rows: over many deliveries at once, or over one in parts."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from updraft.contract import conditions, engine, suite
from updraft.contract.bad import reasons
from updraft.contract.deliveries import facts_of
from updraft.contract.engine import Finding
from updraft.contract.facts import Surroundings
from updraft.contract.tally import SHOWN, Tally
from updraft.errors import ValidationBroken
from updraft.sources.decode import Decoded
from updraft.spec.sources import Source

if TYPE_CHECKING:
    from pandas import DataFrame

_TOGETHER = 100_000  # rows looked at in one run of Great Expectations, each of which costs a tenth of a second
_BYTES = 8 << 20  # of rows looked at in one run
_EXACT = 2**53  # largest whole number that comparing with a float does not change


@dataclass(frozen=True)
class Part:
    """Rows of a delivery: all of them, or some that follow each other."""

    delivery: str
    rows: pa.Table


def parts(deliveries: Mapping[str, Decoded]) -> Iterator[list[Part]]:
    """Rows of deliveries, as many at a time as are looked at together; each delivery has at least one part."""
    held: list[Part] = []
    for name, decoded in deliveries.items():
        for rows in decoded.pieces:
            held.append(Part(name, rows))
            if sum(len(p.rows) for p in held) >= _TOGETHER or sum(p.rows.nbytes for p in held) >= _BYTES:
                yield held
                held = []
    if held:
        yield held


def looked_at(
    name: str, source: Source, together: Sequence[Part], around: Surroundings
) -> Iterator[tuple[Part, list[Tally], NDArray[np.int64]]]:
    """What the rules about single rows find in parts of deliveries, and the numbers of the rows that are bad."""
    frame, numbers = _frame(source, together, around)
    found = engine.run(suite.of_rows(name, source), frame)
    end = 0
    for part in together:
        begin, end = end, end + len(part.rows)
        own = [(finding, _between(finding.places, begin, end)) for finding in found]
        tallies = [_tally(source, finding, frame, numbers, places) for finding, places in own]
        bad = [places for finding, places in own if finding.severity != "warn" and not _forgiving(finding)]
        yield part, [replace(tally, rows=end - begin) for tally in tallies], numbers[_union(bad)]


def settled(source: Source, tallies: Sequence[Tally]) -> list[Tally]:
    """The tallies of a whole delivery: values may be missing, as long as not too many are."""
    return [tally.forgiven() if _may_be(source, tally) else tally for tally in tallies]


def _may_be(source: Source, tally: Tally) -> bool:
    rule = source.columns[tally.finding.columns[0]].missing if _forgiving(tally.finding) else None
    return rule is not None and tally.rows > 0 and tally.seen / tally.rows <= rule.max


def _forgiving(found: Finding) -> bool:
    """Whether only the whole delivery tells if a row that breaks the rule is bad."""
    return found.rule == "missing"


def _tally(
    source: Source, found: Finding, frame: "DataFrame", numbers: NDArray[np.int64], places: NDArray[np.int64]
) -> Tally:
    """What a rule found at places of a frame."""
    some = places[: source.caps.bad_rows + 1] if found.severity != "warn" else places[:0]
    why = tuple(zip(numbers[some].tolist(), reasons(source, found, frame, some), strict=True))
    values = frame[list(found.shown)].iloc[places[:SHOWN]].itertuples(index=False)
    sample = tuple(", ".join(str(cell)[:80] for cell in row) for row in values)
    return Tally(found, len(frame), len(places), len(places), sample, why)


def _frame(source: Source, together: Sequence[Part], around: Surroundings) -> "tuple[DataFrame, NDArray[np.int64]]":
    """All rows below each other, with what is computed of them; and their numbers."""
    import pandas as pd

    rows = pa.concat_tables([part.rows.select([*source.columns, "row"]) for part in together])
    for name, kept in conditions.kept(source, rows, around.zone).items():
        rows = rows.append_column(suite.computed("condition", name), kept)
    for column in source.contract.references:
        found = [_known(column, part, around) for part in together]
        rows = rows.append_column(suite.computed("references", column), pa.chunked_array(found, pa.bool_()))
    # Whole numbers beside missing ones would become floats, and large ones would change.
    frame = rows.drop_columns("row").to_pandas(
        types_mapper=lambda kind: pd.Int64Dtype() if kind == pa.int64() else None
    )
    return frame.astype(dict.fromkeys(_plain(rows), "int64")), rows["row"].to_numpy()


def _plain(rows: pa.Table) -> list[str]:
    """Columns of whole numbers that Great Expectations may compare at once, and need not one by one."""
    names = [field.name for field in rows.schema if field.type == pa.int64() and field.name != "row"]
    return [name for name in names if not rows[name].null_count and _exact(rows[name])]


def _exact(numbers: Any) -> bool:
    ends = pc.min_max(numbers).as_py().values()
    return all(end is not None and abs(end) <= _EXACT for end in ends)


def _known(column: str, part: Part, around: Surroundings) -> Any:
    """Whether each value may stand in a referring column; null where it is missing, which is no wrong reference."""
    facts = facts_of(around, part.delivery)
    if column not in facts.known:
        raise ValidationBroken(
            f"What {column} may refer to is not known.", next_step="validate it through `updraft.ingest`."
        )
    values = part.rows[column].combine_chunks()
    return pc.if_else(values.is_valid(), pc.is_in(values, facts.known[column]), None)


def _between(places: NDArray[np.int64], begin: int, end: int) -> NDArray[np.int64]:
    first, last = np.searchsorted(places, [begin, end])
    return places[first:last]


def _union(places: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    return np.unique(np.concatenate([np.zeros(0, np.int64), *places]))

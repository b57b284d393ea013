"""What breaks the rules about rows, over all deliveries at once."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from updraft.contract import conditions, engine, suite
from updraft.contract.deliveries import facts_of
from updraft.contract.engine import Finding
from updraft.contract.facts import Surroundings
from updraft.errors import ValidationBroken
from updraft.sources.decode import Decoded
from updraft.spec.sources import Source

if TYPE_CHECKING:
    from pandas import DataFrame


def frame_of(source: Source, deliveries: Mapping[str, Decoded], around: Surroundings) -> "DataFrame":
    """All rows below each other, with what is computed of them and the name of their delivery."""
    import pandas as pd

    lengths = [len(decoded.rows) for decoded in deliveries.values()]
    rows = pa.concat_tables([decoded.rows.select([*source.columns, "row"]) for decoded in deliveries.values()])
    for name, kept in conditions.kept(source, rows, around.zone).items():
        rows = rows.append_column(suite.computed("condition", name), kept)
    for column in source.contract.references:
        found = [_known(column, name, decoded, around) for name, decoded in deliveries.items()]
        rows = rows.append_column(suite.computed("references", column), pa.chunked_array(found, pa.bool_()))
    # Whole numbers beside missing ones would become floats, and large ones would change.
    frame = rows.drop_columns("row").to_pandas(
        types_mapper=lambda kind: pd.Int64Dtype() if kind == pa.int64() else None
    )
    return frame.assign(delivery=np.repeat(list(deliveries), lengths))


def ends_of(deliveries: Mapping[str, Decoded]) -> dict[str, int]:
    """Place in the frame after the last row of each delivery."""
    return dict(zip(deliveries, accumulate(len(decoded.rows) for decoded in deliveries.values()), strict=True))


def findings(name: str, source: Source, frame: "DataFrame", ends: Sequence[int]) -> list[Finding]:
    """What breaks the rules about rows; of the rows that share a key, the first that is good otherwise is not named.

    :param ends: Place after the last row of each delivery.
    """
    found = [_too_often(source, finding, ends) for finding in engine.run(suite.of_rows(name, source), frame)]
    broken = [finding.places for finding in found if finding.rule != "unique" and finding.severity != "warn"]
    return [_but_the_first(f, frame, broken) if f.rule == "unique" else f for f in found]


def _known(column: str, name: str, decoded: Decoded, around: Surroundings) -> pa.Array:
    """Whether each value may stand in a referring column; null where it is missing, which is no wrong reference."""
    facts = facts_of(around, name)
    if column not in facts.known:
        raise ValidationBroken(
            f"What {column} may refer to is not known.", next_step="validate it through `updraft.ingest`."
        )
    values = decoded.rows[column].combine_chunks()
    return pc.if_else(values.is_valid(), pc.is_in(values, facts.known[column]), None)


def _too_often(source: Source, found: Finding, ends: Sequence[int]) -> Finding:
    """The finding without deliveries in which no more values are missing than may be; other rules stay."""
    rule = source.columns[found.columns[0]].missing if found.rule == "missing" else None
    if rule is None:
        return found
    begins = [0, *ends[:-1]]
    spans = [
        (np.searchsorted(found.places, [begin, end]), end - begin) for begin, end in zip(begins, ends, strict=True)
    ]
    over = [found.places[first:last] for (first, last), rows in spans if rows and (last - first) / rows > rule.max]
    return replace(found, places=np.concatenate([np.zeros(0, np.int64), *over]), seen=found.places)


def _but_the_first(shared: Finding, frame: "DataFrame", broken: Sequence[NDArray[np.int64]]) -> Finding:
    """The finding about keys without the row that keeps each key, and without those that are bad anyway.

    Where a repeated key blocks the delivery it does so even beside other faults: one more must not make it milder.
    """
    bad = broken if shared.limit is None else ()
    left = np.setdiff1d(shared.places, np.concatenate([np.zeros(0, np.int64), *bad]))
    again = frame.iloc[left][list(shared.columns)].duplicated(keep="first").to_numpy(np.bool_)
    return replace(shared, places=left[again])

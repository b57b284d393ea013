"""Raw tables: what they are called, their columns, and whose turn it is to see a row first."""

from bisect import bisect_left
from collections.abc import Sequence
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from updraft.rows import ARROW, Rows
from updraft.spec.model import UseCase
from updraft.spec.sources import Source

STAMP = pa.timestamp("us", "UTC")
GONE = "gone"


def raw_table(case: UseCase, source: str) -> str:
    """Name of the raw table of a source."""
    return f"raw/{case.name}/{source}"


def raw_schema(source: Source) -> pa.Schema:
    """Columns of a raw table: the source's own, then when, from where, and whether the fact is gone."""
    own = [pa.field(name, ARROW[column.type]) for name, column in source.stored().columns.items()]
    stamps = [pa.field("event_time", STAMP), pa.field("known_at", STAMP)]
    origin = [pa.field("delivery", pa.string()), pa.field("row", pa.int64()), pa.field("partition", pa.string())]
    marker = [pa.field(GONE, pa.bool_())] if source.deletes else []
    return pa.schema([*own, *stamps, *origin, *marker])


class Turns:
    """Puts raw rows, given some delivery partitions at a time, in the order in which partitions could first see them.

    :param keys: The delivery partitions, in their order.
    :param moments: When each of them is computed.
    """

    def __init__(self, keys: Sequence[str], moments: Sequence[datetime]) -> None:
        import numpy as np

        self._keys = keys
        self._moments = np.array([moment.replace(tzinfo=None) for moment in moments], "datetime64[us]")
        self._early: Rows | None = None

    def __call__(self, rows: Rows, last: str) -> Rows:
        """Rows with `_day` and `_turn`, those given before that had to wait for this turn among them.

        `_day` is the place of a row's delivery among the partitions, `_turn` that of the partition that could first
        see it: it was known by then, and delivered. A row whose turn comes after `last` waits.

        :param rows: All rows delivered since those given before.
        :param last: The partition that they go up to; nothing waits for one after the last of all.
        """
        seen = self._numbered(rows)
        if self._early is not None:
            seen, self._early = pa.concat_tables([self._early, seen]), None
        if last != self._keys[-1]:
            early = pc.greater(seen["_turn"], bisect_left(self._keys, last))
            if pc.any(early).as_py():
                seen, self._early = seen.filter(pc.invert(early)), seen.filter(early)
        return seen

    def _numbered(self, rows: Rows) -> Rows:
        import numpy as np

        origin = rows["partition"].combine_chunks().dictionary_encode()
        places = np.array([bisect_left(self._keys, key) for key in origin.dictionary.to_pylist()], np.int32)
        days = places[origin.indices.to_numpy(zero_copy_only=False)] if len(rows) else places
        known = rows["known_at"].to_numpy().astype("datetime64[us]")
        turns = np.maximum(np.searchsorted(self._moments, known).astype(np.int32), days)
        return rows.append_column("_day", pa.array(days)).append_column("_turn", pa.array(turns))

"""From the lake into DuckDB, some partitions at a time: of a long history only a part is in Arrow's memory at once."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import pyarrow as pa

from updraft.lake import Lake
from updraft.rows import Rows, aligned, quoted

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

TOGETHER = 1 << 22  # values read at a time
AGAIN = "_again"  # table of the hashes of keys that more than one row may have


def slices(counts: Mapping[str, int], keys: Sequence[str], width: int) -> Iterator[list[str]]:
    """Partitions in their order, as many together as hold `TOGETHER` values; one that holds more stands alone.

    :param counts: Rows by partition.
    :param width: Values in a row.
    """
    some, held = list[str](), 0
    for key in keys:
        values = counts.get(key, 0) * width
        if some and held + values > TOGETHER:
            yield some
            some, held = [], 0
        some.append(key)
        held += values
    yield some


class Loading:
    """Loads partitions of a table of the lake, as often as asked; what takes but one reading is read once.

    :param keys: The partitions, in their order.
    :param columns: All columns that may be asked for.
    """

    def __init__(
        self, db: "DuckDBPyConnection", lake: Lake, table: str, keys: Sequence[str], columns: pa.Schema
    ) -> None:
        self._db, self._lake, self._table, self._columns = db, lake, table, columns
        self._slices = list(slices(lake.counts(table), keys, len(columns)))
        self._whole = self._read(keys, columns) if len(self._slices) == 1 else None

    def into(
        self, name: str, columns: Sequence[str], select: str, *,
        order: str = "", change: Callable[[Rows, str], Rows] | None = None,
    ) -> None:  # fmt: skip
        """Make a table of what is selected from these columns, each reading in its order after the one before.

        :param change: Changes the rows of a reading, given the last partition in it, before they are selected from.
        """
        how, shape = f"CREATE TABLE {name} AS", pa.schema([self._columns.field(column) for column in columns])
        for some in self._slices:
            sql = f"{how} SELECT {select} FROM incoming {order}"  # noqa: S608 - validated names
            self._put(sql, self._part(some, shape), some[-1], change)
            pa.default_memory_pool().release_unused()
            how = f"INSERT INTO {name}"

    def several(self, key: Sequence[str]) -> bool:
        """Whether more than one row may have the same key; the table `_again` then holds the hashes of such keys."""
        self.into("_keys", key, f"{hashed(key)} AS key")
        again = "SELECT key FROM _keys GROUP BY key HAVING count(*) > 1"
        ((found,),) = self._db.execute(f"CREATE OR REPLACE TEMP TABLE {AGAIN} AS {again}").fetchall()
        self._db.execute("DROP TABLE _keys")
        return bool(found)

    def _put(self, sql: str, rows: Rows, last: str, change: Callable[[Rows, str], Rows] | None) -> None:
        self._db.register("incoming", rows if change is None else change(rows, last))
        self._db.execute(sql)
        self._db.unregister("incoming")

    def _part(self, some: Sequence[str], shape: pa.Schema) -> Rows:
        return self._read(some, shape) if self._whole is None else self._whole.select(shape.names)

    def _read(self, some: Sequence[str], shape: pa.Schema) -> Rows:
        return aligned(self._lake.read(self._table, some, shape.names), shape)


def hashed(key: Sequence[str]) -> str:
    """Hash of a key, in SQL: shorter than most, and where two are equal the keys are still to be compared."""
    return f"hash({', '.join(map(quoted, key))})"

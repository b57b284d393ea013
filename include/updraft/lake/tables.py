"""Files of Delta tables: how they are read together, and how many rows become some of them."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import IO, TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from updraft.errors import SpecInvalid
from updraft.rows import ARROW, Rows, plain
from updraft.spool import spool

if TYPE_CHECKING:
    from deltalake import CommitProperties, DeltaTable

_FILE = 1 << 21  # values


def dataset(files: Sequence[str], shape: pa.Schema) -> Any:
    """A dataset over the files of a local table, oldest partition first, so that equal content reads equal.

    Files older than a column lack it and read as null. On S3 the table's own dataset knows the credentials; here its
    per-file statistics would cost several times what reading does.
    """
    import pyarrow.dataset as ds

    by = ds.partitioning(pa.schema([("partition", pa.string())]), flavor="hive")
    return ds.dataset(sorted(files), schema=shape, format="parquet", partitioning=by)


def counted(table: "DeltaTable") -> dict[str, int]:
    """Rows by partition, where they were counted when they were written."""
    files = pa.table(table.get_add_actions(flatten=True)).select(["partition.partition", "num_records"])
    sums = files.group_by("partition.partition").aggregate([("num_records", "sum")])
    return {key: count or 0 for key, count in zip(*(sums[name].to_pylist() for name in sums.column_names), strict=True)}


def of_partitions(partitions: Sequence[str]) -> "CommitProperties":
    """What makes two commits to a partition collide even where neither found anything to replace."""
    from deltalake import CommitProperties, Transaction

    return CommitProperties(app_transactions=[Transaction(f"partition={key}", 1) for key in partitions])


def in_files(rows: Iterable[Rows], schema: pa.Schema) -> Iterator[tuple[IO[bytes], int]]:
    """Parquet files of some million values each, and the rows in them; one is there at a time."""
    some = iter(rows)
    while (first := next(some, None)) is not None:
        file, count = spool(), 0
        with pq.ParquetWriter(file, schema, compression="snappy") as writer:
            for table in chain([first], some):
                writer.write_table(table.select(schema.names))
                count += len(table)
                if count * len(schema) > _FILE:
                    break
        yield file, count


def same_types(table: str, stored: pa.Schema | None, wanted: pa.Schema) -> None:
    """Refuse a column that has another type than its rows in the lake: history is neither rewritten nor misread.

    delta-rs would cast to the old type, and 1.5 would silently become 1.

    :param stored: Columns of the table, `None` when there is none.
    :raises SpecInvalid: If there is such a column.
    """
    words = {kind: word for word, kind in ARROW.items()}
    held = {} if stored is None else {field.name: field.type for field in plain(stored)}
    for field in (field for field in plain(wanted) if field.type != pa.null()):
        if (kind := held.get(field.name, field.type)) != field.type:
            was, now = (words.get(k, str(k)) for k in (kind, field.type))
            raise SpecInvalid(
                f"Column {field.name!r} of {table} is {now} in spec.yaml, but its rows in the lake are {was}.",
                next_step=f"declare it as {was} again; "
                + (
                    "for deliveries of the new type declare a source of another name, and let the queries read both."
                    if table.startswith("raw/")
                    else "give the column of the new type another name."
                ),
            )

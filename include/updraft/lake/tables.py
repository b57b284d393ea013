"""Files of Delta tables: how they are read together, and how many rows become some of them."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import IO, TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from updraft.errors import SpecInvalid
from updraft.rows import Rows
from updraft.spool import spool

if TYPE_CHECKING:
    from deltalake import CommitProperties

_FILE = 1 << 21  # values


def dataset(files: Sequence[str], shape: pa.Schema) -> Any:
    """A dataset over the files of a local table, oldest partition first, so that equal content reads equal.

    Files older than a column lack it and read as null. On S3 the table's own dataset knows the credentials; here its
    per-file statistics would cost several times what reading does.
    """
    import pyarrow.dataset as ds

    by = ds.partitioning(pa.schema([("partition", pa.string())]), flavor="hive")
    return ds.dataset(sorted(files), schema=shape, format="parquet", partitioning=by)


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


def same_types(table: str, before: pa.Schema, after: pa.Schema) -> None:
    """Refuse another type for a column: delta-rs would cast to the old one, and 1.5 would silently become 1."""
    for new in (new for new in after if new.name in before.names and new.type != pa.null()):
        if before.field(new.name).type != new.type:
            raise SpecInvalid(
                f"{table} holds {new.name!r} as {before.field(new.name).type}, the rows have {new.type}.",
                next_step="give the column another name in spec.yaml; what is stored keeps its type.",
            )

"""The lake: versioned tables and immutable objects, on a local folder or on S3; the only module that knows paths.

Tables are Delta tables partitioned by `partition`. A partition is written whole or not at all, and writing the same
rows again commits nothing. Objects are created once (a conditional put) or replaced whole.
"""

import json
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import IO, TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from updraft.lake.faults import answering, beaten, retry_conflicts, unavailable
from updraft.lake.names import checked, literal
from updraft.lake.stores import store
from updraft.lake.tables import counted, dataset, in_files, of_partitions, same_types
from updraft.rows import Rows, aligned, digest, plain
from updraft.spool import CHUNK, size, spool

if TYPE_CHECKING:
    from deltalake import DeltaTable

_BATCH = 1 << 15  # rows


@dataclass(frozen=True)
class Lake:
    """Tables and objects below one root.

    :param uri: A folder, or `s3://bucket/prefix`.
    :param options: Storage options as delta-rs and object_store name them (`aws_access_key_id`, `endpoint`, …).
    """

    uri: str
    options: Mapping[str, str] = field(default_factory=dict, repr=False)

    def still(self) -> "Lake":
        """The same lake for reading alone: every table stays at the version it has when it is first asked about."""
        from updraft.lake.still import Still

        return Still(self.uri, self.options)

    def replace(self, table: str, rows: Rows, partitions: Sequence[str]) -> int:
        """Make `rows` the whole content of `partitions`; return the table's version.

        Rows keep the order given. When the partitions hold these very rows already, nothing is committed.

        :param rows: Arrow rows with a string column `partition`, every value of which is in `partitions`.
        :raises WriteConflict: If other writers won again and again.
        """
        return self.update(table, partitions, lambda _: rows)

    @retry_conflicts
    def update(self, table: str, partitions: Sequence[str], change: Callable[[Rows | None], Rows]) -> int:
        """Replace `partitions` by what `change` makes of their present rows; return the table's version.

        `change` gets `None` when the table does not exist yet. It runs again on fresh rows once the table exists, and
        when another writer committed in between, so it must depend on nothing but its argument.
        """
        present = self._open(table)
        before = None if present is None else self._scan(present, partitions)
        rows = change(before)
        strangers = set(pc.unique(rows["partition"]).to_pylist()) - set(partitions)
        if strangers:
            raise ValueError(f"rows of partitions {sorted(strangers)[:3]} in a write to {list(partitions)[:3]}")
        if before is None or present is None:
            # Of two writers that create a table with their rows at once, delta-rs lets both land.
            self._create(table, rows.schema)
            return self.update(table, partitions, change)
        same_types(table, before.schema, rows.schema)
        if len(before) == len(rows) and digest(before) == digest(rows):
            return int(present.version())
        return self._commit(table, present, rows, partitions)

    def read(
        self, table: str, partitions: Sequence[str] | None = None, columns: Sequence[str] | None = None
    ) -> Rows | None:
        """Rows of `partitions` (all, when `None`) as committed last; `None` when there is no such table.

        Of `columns`, those that the table does not have are left out.
        """
        present = self._open(table)
        return None if present is None else self._scan(present, partitions, columns)

    def scan(
        self, table: str, partitions: Sequence[str], columns: Sequence[str] | None = None, where: Any = None
    ) -> Iterator[Rows]:
        """Rows of `partitions` as committed last, some at a time and in no order; none when there is no such table.

        :param where: Arrow expression that they fulfil.
        """
        present = self._open(table)
        if present is not None and partitions:
            yield from self._batches(present, partitions, columns, where)

    def _batches(
        self, present: "DeltaTable", partitions: Sequence[str], columns: Sequence[str] | None, where: Any
    ) -> Iterator[Rows]:
        try:
            dataset, names = self._dataset(present, partitions, columns)
            how: dict[str, Any] = {"batch_readahead": 1, "fragment_readahead": 1, "use_threads": False}
            for batch in dataset.to_batches(columns=names, filter=where, batch_size=_BATCH, **how):
                rows = pa.Table.from_batches([batch])
                yield rows.cast(plain(rows.schema))
        except OSError as fault:
            raise unavailable(fault) from fault

    @retry_conflicts
    def pour(self, table: str, partition: str, rows: Iterable[Rows], schema: pa.Schema, beside: Any) -> int:
        """Put rows that need not fit into memory in a partition; return the table's version.

        :param rows: Read anew each time another writer was faster.
        :param schema: Their columns; those that the table has besides stay there.
        :param beside: Arrow expression that present rows fulfil which stay; all others go.
        :raises WriteConflict: If other writers won again and again.
        """
        self._create(table, schema)
        present = self._open(table)
        assert present is not None  # made above
        held = plain(pa.schema(present.schema()))
        same_types(table, held, schema)
        whole = pa.schema([*schema, *(field for field in held if field.name not in schema.names)])
        stay = (aligned(some, whole) for some in self._batches(present, [partition], None, beside))
        return self._add(table, present, chain(stay, (aligned(some, whole) for some in rows)), whole, partition)

    def partitions(self, table: str) -> list[str]:
        """Keys of the partitions a table holds, sorted."""
        present = self._open(table)
        return [] if present is None else sorted({str(found["partition"]) for found in present.partitions()})

    def counts(self, table: str) -> Mapping[str, int]:
        """Rows by partition, as those who wrote them counted; none when there is no such table."""
        present = self._open(table)
        return {} if present is None else counted(present)

    def version(self, table: str) -> int | None:
        """Version of a table, `None` when it does not exist."""
        return None if (shape := self.shape(table)) is None else shape[0]

    def shape(self, table: str) -> tuple[int, pa.Schema] | None:
        """Version and columns of a table, `None` when it does not exist."""
        present = self._open(table)
        return None if present is None else (int(present.version()), pa.schema(present.schema().to_arrow()))

    def _open(self, table: str) -> "DeltaTable | None":
        from deltalake import DeltaTable
        from deltalake.exceptions import TableNotFoundError

        try:
            return DeltaTable(self.location(table), storage_options=dict(self.options))
        except TableNotFoundError:
            return None
        except OSError as fault:
            raise unavailable(fault) from fault

    def _scan(
        self, present: "DeltaTable", partitions: Sequence[str] | None, columns: Sequence[str] | None = None
    ) -> Rows:
        if partitions is not None and not partitions:
            shape = plain(pa.schema(present.schema()))
            return shape.empty_table().select([n for n in shape.names if columns is None or n in columns])
        try:
            dataset, names = self._dataset(present, partitions, columns)
            rows = dataset.to_table(columns=names)
        except OSError as fault:
            raise unavailable(fault) from fault
        return rows.cast(plain(rows.schema)).combine_chunks()

    def _dataset(
        self, present: "DeltaTable", partitions: Sequence[str] | None, columns: Sequence[str] | None
    ) -> tuple[Any, list[str]]:
        """What reads partitions, and the columns that are there."""
        shape = plain(pa.schema(present.schema()))
        names = shape.names if columns is None else [name for name in columns if name in shape.names]
        pruned: Any = None if partitions is None else [("partition", "in", list(partitions))]
        # Pruning by partition before the dataset is made: its cost grows with the files it is given.
        if "://" in self.uri:
            return present.to_pyarrow_dataset(file_pruning_predicate=pruned), names
        return dataset(present.file_uris(file_pruning_predicate=pruned), shape), names

    def _commit(self, table: str, present: "DeltaTable", rows: Rows, partitions: Sequence[str]) -> int:
        from deltalake import write_deltalake
        from deltalake.exceptions import CommitFailedError

        wanted = ", ".join(f"'{literal(key)}'" for key in partitions)
        how: dict[str, Any] = {"mode": "overwrite", "predicate": f"partition IN ({wanted})", "schema_mode": "merge"}
        how["commit_properties"] = of_partitions(partitions)
        try:
            # Writing through the table that was read makes delta-rs check every commit since that read.
            write_deltalake(present, rows, storage_options=dict(self.options), **how)
        except CommitFailedError as lost:
            raise beaten(table) from lost
        except OSError as fault:
            raise unavailable(fault) from fault
        return self.version(table) or 0

    def _add(self, table: str, present: "DeltaTable", rows: Iterable[Rows], schema: pa.Schema, partition: str) -> int:
        """Write files of rows, few in memory at a time, then make them the content of a partition in one commit."""
        from deltalake.exceptions import CommitFailedError
        from deltalake.transaction import AddAction

        run, added = secrets.token_hex(8), list[Any]()
        stored = pa.schema([field for field in schema if field.name != "partition"])
        for number, (file, count) in enumerate(in_files(rows, stored)):
            path = f"partition={literal(partition)}/part-{number:05d}-{run}.parquet"
            about = size(file), {"partition": partition}, int(time.time() * 1000), True
            self.keep(f"{table}/{path}", file)
            added.append(AddAction(path, *about, json.dumps({"numRecords": count})))
        only: Any = [("partition", "=", partition)]
        same = of_partitions([partition])
        try:
            present.create_write_transaction(
                added, "overwrite", schema, ["partition"], partition_filters=only, commit_properties=same
            )
        except CommitFailedError as lost:
            raise beaten(table) from lost
        except OSError as fault:
            raise unavailable(fault) from fault
        return self.version(table) or 0

    def _create(self, table: str, schema: pa.Schema) -> None:
        """Make a table without rows, unless there is one."""
        from deltalake import DeltaTable
        from deltalake.exceptions import CommitFailedError

        how: dict[str, Any] = {"partition_by": ["partition"], "storage_options": dict(self.options)}
        try:
            DeltaTable.create(self.location(table), schema, mode="ignore", **how)
        except CommitFailedError as lost:
            raise beaten(table) from lost
        except OSError as fault:
            raise unavailable(fault) from fault

    @answering()
    def create(self, key: str, content: bytes) -> bool:
        """Store an object unless one is there already; say whether it was stored now."""
        from obstore.exceptions import AlreadyExistsError

        try:
            self._store.put(checked(key), content, mode="create")
        except AlreadyExistsError:
            return False
        return True

    @answering()
    def put(self, key: str, content: bytes) -> None:
        """Store an object, replacing what was there."""
        self._store.put(checked(key), content)

    @answering()
    def keep(self, key: str, file: IO[bytes]) -> None:
        """Store an object of any size, whose key names its content, unless it is there already."""
        try:
            self._store.head(checked(key))
        except FileNotFoundError:
            file.seek(0)
            self._store.put(checked(key), file, chunk_size=8 << 20, max_concurrency=2)

    @answering()
    def fetch(self, key: str) -> IO[bytes]:
        """Content of an object of any size, in a file of one's own.

        :raises FileNotFoundError: If there is none.
        """
        file = spool()
        for chunk in self._store.get(checked(key)).stream(CHUNK):
            file.write(chunk)
        file.seek(0)
        return file

    @answering()
    def get(self, key: str) -> bytes:
        """Content of an object.

        :raises FileNotFoundError: If there is none.
        """
        return bytes(self._store.get(checked(key)).bytes())

    def keys(self, prefix: str) -> list[str]:
        """Keys of the objects below `prefix`, sorted."""
        return sorted(self.tags(prefix))

    @answering()
    def tags(self, prefix: str) -> dict[str, str | None]:
        """Keys below `prefix`, each with the tag S3 gives its very content; a folder has but clocks, and gives none."""
        found = (each for page in self._store.list(checked(prefix) + "/") for each in page)
        return {each["path"]: each["e_tag"] if "://" in self.uri else None for each in found}

    def location(self, key: str) -> str:
        """Where a person or another tool finds an object, or a table."""
        return f"{self.uri.rstrip('/')}/{checked(key)}"

    @property
    def _store(self) -> Any:
        return store(self.uri, tuple(self.options.items()))

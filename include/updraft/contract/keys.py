"""Keys that stand in more than one row of a delivery: looked for by their hashes, then compared in DuckDB."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from tempfile import TemporaryFile
from types import TracebackType
from typing import Any, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from updraft.contract import engine, suite
from updraft.contract.rows import Part
from updraft.contract.tally import SHOWN, Tally
from updraft.errors import ValidationBroken
from updraft.rows import quoted
from updraft.sources.decode import Decoded
from updraft.spec.sources import Source
from updraft.spool import folder

Flags = Mapping[str, NDArray[np.bool_]]
_MEMORY = "64MB"  # what does not fit goes to disk
_BATCH = 1 << 16
_AT_A_TIME = 1 << 21  # hashes of keys that are compared with each other
_MOST = 1 << 23  # hashes of repeated keys
_HASH = "key:hash"  # no column of a source has such a name


class Keys:
    """The keys of deliveries, put in as their rows come by."""

    def __init__(self, name: str, source: Source) -> None:
        self._name, self._source = name, source
        self._places: dict[str, int] = {}  # a number in place of each delivery's long name
        self._keys = ", ".join(map(quoted, source.key))
        self._by = f"{suite.DELIVERY}, {self._keys}"

    def __enter__(self) -> Self:
        import duckdb

        self._hashes = TemporaryFile(dir=folder())
        limits: dict[str, Any] = {"memory_limit": _MEMORY, "temp_directory": str(folder()), "threads": 1}
        self._db = duckdb.connect(config={**limits, "preserve_insertion_order": False})
        self._db.execute("SET TimeZone = 'UTC'")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._db.close()
        self._hashes.close()

    def put(self, together: Sequence[Part]) -> None:
        """Take the hashes of the keys of some rows; one of which a column is missing is equal to none."""
        if self._source.contract.unique is None:
            return
        found = self._whole(together)
        self._none = found.slice(0, 0)
        self._hashes.write(found[_HASH].to_numpy().tobytes())

    def _whole(self, together: Sequence[Part]) -> Any:
        """Keys of rows that have all columns of theirs, as numbers of deliveries and rows, and their hashes."""
        rows = pa.concat_tables([part.rows.select([*self._source.key, "row"]) for part in together])
        own = [self._places.setdefault(part.delivery, len(self._places)) for part in together]
        of = np.repeat(np.array(own, np.int32), [len(part.rows) for part in together])
        self._db.register("arrived", rows.append_column(suite.DELIVERY, pa.array(of)))
        whole = " AND ".join(f"{quoted(name)} IS NOT NULL" for name in self._source.key)
        asked = f"SELECT *, hash({self._by}) AS {quoted(_HASH)} FROM arrived WHERE {whole}"  # noqa: S608 - quoted names
        found = self._db.sql(asked).to_arrow_table()
        self._db.unregister("arrived")
        return found

    def repeated(self, deliveries: Mapping[str, Decoded], bad: Flags) -> dict[str, tuple[Tally, NDArray[np.int64]]]:
        """What the rule about keys found in each delivery, and the numbers of the rows that break it.

        Of the rows that share a key, the first that is good otherwise breaks nothing. Where a repeated key blocks the
        delivery it does so even beside other faults: one more must not make it milder.

        :param bad: Rows that are bad otherwise, by number.
        """
        import duckdb

        rule = self._source.contract.unique
        if rule is None:
            return {}
        try:
            self._gather(deliveries)
            self._again(bad if rule.limit is None else {})
        except duckdb.OutOfMemoryException as full:
            raise self._too_many() from full
        asked, shared = suite.of_keys(self._name, self._source), self._shared()
        (found,) = engine.run(asked, shared) if len(shared) else engine.nothing(asked)
        return {delivery: self._of(delivery, found, decoded.readable) for delivery, decoded in deliveries.items()}

    def _again(self, bad: Flags) -> None:
        """Number the rows that share a key, those left out that are bad."""
        numbers = {self._places[delivery]: np.flatnonzero(flags) for delivery, flags in bad.items()}
        counts = np.array([len(own) for own in numbers.values()], np.int64)
        known = pa.table(
            {
                suite.DELIVERY: pa.array(np.repeat(np.array(list(numbers), np.int32), counts)),
                "row": pa.array(np.concatenate([np.zeros(0, np.int64), *numbers.values()])),
            }
        )
        self._db.register("bad", known)
        by = self._by
        self._db.execute(f"CREATE TABLE shared AS SELECT {by} FROM keys GROUP BY ALL HAVING count(*) > 1")  # noqa: S608 - quoted names
        self._db.execute(
            f"CREATE TABLE again AS SELECT *, row_number() OVER (PARTITION BY {by} ORDER BY row) AS nth "  # noqa: S608
            f"FROM keys SEMI JOIN shared USING ({by}) ANTI JOIN bad USING ({suite.DELIVERY}, row)"
        )
        self._db.unregister("bad")

    def _gather(self, deliveries: Mapping[str, Decoded]) -> None:
        """Put keys whose hash more than one row has into DuckDB; of most deliveries these are none."""
        self._db.register("arrived", self._none)
        self._db.execute("CREATE TABLE keys AS FROM arrived")
        twice = self._twice()
        for part in (Part(d, rows) for d, one in deliveries.items() for rows in one.pieces) if len(twice) else ():
            found = self._whole([part])
            hashes = found[_HASH].to_numpy()
            near = twice[np.minimum(np.searchsorted(twice, hashes), len(twice) - 1)]
            self._db.register("arrived", found.filter(pa.array(near == hashes)))
            self._db.execute("INSERT INTO keys FROM arrived")
        self._db.unregister("arrived")

    def _twice(self) -> NDArray[np.uint64]:
        """Hashes that stand there more than once; looked for in one range of them after another."""
        parts = self._hashes.tell() // 8 // _AT_A_TIME + 1
        edges = [part * 2**64 // parts for part in range(parts + 1)]
        found = [np.zeros(0, np.uint64)]
        for low, high in pairwise(edges):
            own = np.concatenate([each[(each >= low) & (each <= high - 1)] for each in self._read()])
            own.sort()
            found.append(np.unique(own[1:][own[1:] == own[:-1]]))
            if sum(map(len, found)) > _MOST:
                raise self._too_many()
        return np.concatenate(found)

    def _read(self) -> Iterator[NDArray[np.uint64]]:
        self._hashes.seek(0)
        while content := self._hashes.read(_BATCH * 8):
            yield np.frombuffer(content, np.uint64)
        yield np.zeros(0, np.uint64)

    def _too_many(self) -> ValidationBroken:
        return ValidationBroken(
            f"So many keys of {self._name} come more than once that they cannot be compared in {_MEMORY}.",
            next_step="look at the delivery: most of it seems to be there twice; have it sent again.",
        )

    def _shared(self) -> Any:
        """Rows that share a key with another, as many as are set aside one by one."""
        by = self._by
        twice = f"SELECT {by} FROM again WHERE nth = 2 ORDER BY ALL LIMIT {self._source.caps.bad_rows + 1}"  # noqa: S608
        return self._db.sql(f"SELECT {by} FROM again SEMI JOIN ({twice}) USING ({by}) WHERE nth <= 2").df()  # noqa: S608

    def _of(self, delivery: str, found: engine.Finding, rows: int) -> tuple[Tally, NDArray[np.int64]]:
        asked = f"SELECT row, {self._keys} FROM again WHERE {suite.DELIVERY} = ? AND nth > 1 ORDER BY row"  # noqa: S608
        batches: Any = self._db.sql(asked, params=[self._places[delivery]]).to_arrow_reader(_BATCH)
        numbers, sample = [np.zeros(0, np.int64)], list[str]()
        for batch in batches:
            numbers.append(batch["row"].to_numpy())
            few = batch.slice(0, SHOWN - len(sample)).drop_columns("row").to_pylist()
            sample += [", ".join(str(value)[:80] for value in row.values()) for row in few]
        broken = np.concatenate(numbers)
        if len(broken) and not len(found.places):
            raise ValidationBroken(
                f"Great Expectations found no repeated key of {self._name}, and there are {len(broken)}.",
                next_step="report this; nothing is published unvalidated.",
            )
        why = f"{', '.join(self._source.key)}: an earlier row has the same key"
        reasons = tuple((number, why) for number in broken[: self._source.caps.bad_rows + 1].tolist())
        return Tally(found, rows, len(broken), len(broken), tuple(sample), reasons), broken

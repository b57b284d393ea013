"""One partition as it was scored, read and computed again once, however many of its predictions are asked about."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from updraft import features, receipt, score
from updraft.asof import Without
from updraft.errors import LedgerBroken, ModelRejected, UpdraftError
from updraft.ingest import late
from updraft.ingest.change import kept
from updraft.ingest.feed import Feed
from updraft.ingest.late import Late
from updraft.lake import Lake
from updraft.ledger import Ledger
from updraft.model import store
from updraft.model.model import Model
from updraft.partition import Partition, calendar
from updraft.query import shared_of
from updraft.receipt import Receipt
from updraft.records import State
from updraft.rows import Rows, digest
from updraft.spec.model import UseCase
from updraft.spec.shared import as_case


@dataclass(frozen=True)
class Scene:
    """A partition of a use case.

    :param role: The rows of its scores that are asked about.
    :param model: Digest of the model they name.
    :param data: Digest of the feature rows they name.
    :param fingerprint: Feature definition they name.
    """

    case: UseCase
    lake: Lake
    key: str
    role: str
    model: str
    data: str
    fingerprint: str

    @cached_property
    def day(self) -> Partition:
        """The partition's interval and moment."""
        return calendar(self.case).at(self.key)

    @cached_property
    def scores(self) -> Rows:
        """Its scores in this role, in the columns of today's table."""
        rows = self.lake.read(score.table(self.case), [self.key])
        assert rows is not None
        return rows.filter(pc.equal(rows["role"], self.role)).select(score.schema(self.case).names)

    @cached_property
    def receipts(self) -> tuple[list[Receipt], list[str]]:
        """Receipts of these scores, and the keys of those that were changed."""
        return receipt.of(self.case, self.lake, self.scores)

    @cached_property
    def receipted(self) -> str:
        """Digest of the scores that the newest receipt of the partition is about; empty without one."""
        places = self.lake.keys(f"receipts/{self.case.name}/{self.key}")
        told = [json.loads(self.lake.get(place)) for place in places]
        mine = sorted((one["at"], one["scores"]) for one in told if one["role"] == self.role)
        return str(mine[-1][1]) if mine else ""

    @cached_property
    def shared(self) -> list[tuple[str, Rows, Rows | UpdraftError]]:
        """Shared feature sets the features read: name, rows as they stand, and computed from the raw tables again."""
        where, found = f"features.sql of {self.case.name}", []
        for name in shared_of(self.case, self.case.sql("features"), where):
            own, table = as_case(name, self.case.folder.parent), features.table(self.case, name)
            stored = self.lake.read(table, [self.key])
            empty = features.schema(own, name).empty_table()
            day = calendar(own).at(self.key)
            computed = _tried(partial(features.computed, own, day, self.lake, name))
            found.append((name, empty if stored is None else stored, computed))
        return found

    @cached_property
    def stored(self) -> Rows:
        """Its feature rows as they stand in the lake."""
        rows = self.lake.read(features.table(self.case), [self.key])
        return features.schema(self.case).empty_table() if rows is None else rows

    @cached_property
    def stored_digest(self) -> str:
        """Digest of the feature rows as they stand."""
        return digest(self.stored)

    @cached_property
    def same_definition(self) -> bool:
        """Whether the features are still defined as they were when this was scored."""
        try:
            return features.fingerprint(self.case) == self.fingerprint
        except UpdraftError:
            return False

    @cached_property
    def late(self) -> tuple[Late, ...]:
        """Deliveries that came too late for the features of this partition."""
        return tuple(one for one in late.recorded(self.case, self.lake) if self.key in one.features)

    @cached_property
    def rebuilt(self) -> Rows | UpdraftError:
        """Its feature rows computed from the raw tables, or why they cannot be."""
        return _tried(lambda: features.computed(self.case, self.day, self.lake))

    @cached_property
    def rebuilt_in_time(self) -> Rows | UpdraftError:
        """The same without what came too late."""
        if not self.late:
            return self.rebuilt
        without = self._without_late()
        return _tried(lambda: features.computed(self.case, self.day, self.lake, without=without))

    @property
    def rebuilt_on_record(self) -> bool:
        """Whether the feature rows were computed anew after they were scored, because rows came late."""
        return self.stored_digest != self.data and any(one.rebuilt for one in self.late)

    @cached_property
    def as_scored(self) -> Rows:
        """The feature rows that were scored: those that stand there, unless they were computed anew on record."""
        if not self.rebuilt_on_record or isinstance(self.rebuilt_in_time, UpdraftError):
            return self.stored
        return self.rebuilt_in_time if digest(self.rebuilt_in_time) == self.data else self.stored

    @cached_property
    def loaded(self) -> Model | ModelRejected:
        """The model, or why it does not load."""
        try:
            return store.load(self.lake, self.case.name, self.model)
        except ModelRejected as refused:
            return refused

    @cached_property
    def recomputed(self) -> Rows | None:
        """Scores by the stored model of the feature rows; `None` without a model that loads."""
        if isinstance(self.loaded, ModelRejected) or not len(self.as_scored):
            return None
        try:
            return score.computed(self.case, self.as_scored, self.loaded, self.role)
        except ModelRejected:  # the rows were changed to another definition
            return None

    @cached_property
    def ledger(self) -> State | LedgerBroken:
        """What the ledger adds up to, or what is wrong with it."""
        ledger = Ledger(self.lake, self.case.name)
        try:
            ledger.verify()
            return ledger.state()
        except LedgerBroken as broken:
            return broken

    def _without_late(self) -> Without:
        rows: dict[str, dict[tuple[str, str], tuple[tuple[int, int], ...]]] = {}
        for one in self.late:
            moved = kept(Feed(self.case, one.source, self.lake), [one.partition])
            spans = tuple(span for change in moved if change.delivery == one.delivery for span in change.released)
            rows.setdefault(one.source, {})[one.partition, one.delivery] = spans
        return {source: _dropping(found) for source, found in rows.items()}


def _dropping(found: Mapping[tuple[str, str], tuple[tuple[int, int], ...]]) -> Callable[[Rows], Rows]:
    """Take out the rows of deliveries: those a replay released later, or all where there was no replay."""

    def drop(rows: Rows) -> Rows:
        for (partition, delivery), spans in found.items():
            mine = pc.and_(pc.equal(rows["partition"], partition), pc.equal(rows["delivery"], delivery))
            numbers: Any = [number for first, last in spans for number in range(first, last + 1)]
            if numbers:
                mine = pc.and_(mine, pc.is_in(rows["row"], pa.array(numbers, pa.int64())))
            rows = rows.filter(pc.invert(mine))
        return rows

    return drop


def _tried(compute: Callable[[], Rows]) -> Rows | UpdraftError:
    try:
        return compute()
    except UpdraftError as refused:
        return refused

"""Mature training sets: the feature rows that were scored, joined with labels once these can be trusted."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Self

from updraft import features, ingest
from updraft.asof import raw_table
from updraft.lake import Lake
from updraft.partition import Partition, calendar
from updraft.query import sources_of
from updraft.spec.model import UseCase

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from pandas import DataFrame


@dataclass(frozen=True)
class Dataset:
    """Labelled feature rows, and where they came from.

    :param rows: One row per entity and partition, sorted by both; features as declared, the label as `joined` has it.
    :param fingerprint: Digest of the feature definition.
    :param versions: Version of each lake table read.
    :param as_of: Partition at whose moment the set was taken.
    :param undefined: Rows left out because their label is undefined.
    :param missing: Mature partitions left out, each with the reason.
    :param faulty: Partitions left out because a feature looks broken in them, each with the reason.
    """

    rows: "DataFrame"
    fingerprint: str
    versions: dict[str, int]
    as_of: str
    undefined: int
    missing: tuple[str, ...]
    faulty: Mapping[str, str] = field(default_factory=dict)

    def without(self, faulty: Mapping[str, str]) -> Self:
        """The same set without some partitions, each with the reason."""
        kept = self.rows[~self.rows["partition"].isin(list(faulty))].reset_index(drop=True)
        return replace(self, rows=kept, faulty=dict(faulty)) if faulty else self

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the model should know: the first ten partitions that look broken."""
        if not self.faulty:
            return ()
        told = "; ".join(f"{key} ({why})" for key, why in list(self.faulty.items())[:10])
        more = f" and {len(self.faulty) - 10} more" if len(self.faulty) > 10 else ""
        return (f"partitions left out because the feed looks broken in them: {told}{more}",)


def mature(case: UseCase, lake: Lake, at: Partition) -> Dataset:
    """Labelled rows of every partition whose labels are complete at the moment of `at`.

    Feature partitions computed by an older definition are rebuilt first, so a model never sees two definitions.
    """
    keys = _mature_keys(case, lake, at)
    if outdated := features.stale(case, keys, lake):
        features.build(case, outdated, lake)
    missing = mature_labels(case, keys, lake)
    complete = [key for key in keys if key not in missing]
    rows = joined(case, lake, complete)
    labelled = rows[rows[case.label.column].notna()].reset_index(drop=True)
    tables = [features.table(case), features.table(case, "label"), *(raw_table(case, name) for name in case.sources)]
    return Dataset(
        rows=labelled,
        fingerprint=features.fingerprint(case),
        versions={name: version for name in tables if (version := lake.version(name)) is not None},
        as_of=at.key,
        undefined=len(rows) - len(labelled),
        missing=tuple(f"{key}: {why}" for key, why in missing.items()),
    )


def mature_labels(case: UseCase, keys: Sequence[str], lake: Lake) -> dict[str, str]:
    """Write the labels of `keys` that are not written yet; return those that cannot be, with the reason.

    A label is complete only when everything that could have been known until it matures has been delivered.
    """
    missing = immature_labels(case, keys, lake)
    complete = [key for key in keys if key not in missing]
    if outdated := features.stale(case, complete, lake, "label"):
        features.build_labels(case, outdated, lake)
    return missing


def immature_labels(case: UseCase, keys: Sequence[str], lake: Lake) -> dict[str, str]:
    """Say which of `keys` have labels that are not complete, each with the reason; nothing is written."""
    sources = sources_of(case, case.sql("label"), f"label.sql of {case.name}")
    delivered = {source: ingest.delivered(case, source, lake) for source in sources}
    return {key: why for key in keys if (why := _waits_for(case, key, delivered))}


def joined(case: UseCase, lake: Lake, keys: Sequence[str]) -> "DataFrame":
    """Feature rows of `keys` with their labels (missing where there is none), sorted by partition and entity."""
    by = ["partition", *case.entity]
    # An inner join would drop the entities without a label, and nobody would notice.
    rows = frame(case, lake, keys).merge(labels(case, lake, keys), on=by, how="left", validate="one_to_one")
    return rows.sort_values(by, ignore_index=True)


def labels(case: UseCase, lake: Lake, keys: Sequence[str]) -> "DataFrame":
    """Partition, entity and label of `keys`, as far as they are written.

    A class is its position in `label.classes`, so that a label is a number whatever its kind.
    """
    wanted = ["partition", *case.entity, case.label.column]
    stored = lake.read(features.table(case, "label"), keys, wanted)
    truth = (features.schema(case, "label").empty_table() if stored is None else stored).to_pandas()[wanted]
    if case.label.classes:
        codes = {name: float(code) for code, name in enumerate(case.label.classes)}
        truth[case.label.column] = truth[case.label.column].map(codes).astype("float64")
    return truth


def frame(
    case: UseCase, lake: Lake, keys: Sequence[str], *, drawn: "Callable[[int], NDArray[np.int64]] | None" = None
) -> "DataFrame":
    """Feature rows of `keys` as models take them, sorted by partition and entity.

    :param drawn: Places of the rows to take, by how many there are; all, when left out.
    """
    stored = lake.read(features.table(case), keys)
    rows = features.schema(case).empty_table() if stored is None else stored
    rows = rows.sort_by([(name, "ascending") for name in ("partition", *case.entity)])
    return (rows if drawn is None else rows.take(drawn(len(rows)))).to_pandas()


def _mature_keys(case: UseCase, lake: Lake, at: Partition) -> list[str]:
    dates = calendar(case)
    last = dates.last_mature(at.as_of)
    if last is None:
        return []
    oldest = dates.first
    if case.model.history is not None and last.start - case.model.history > oldest.start:
        oldest = dates.containing(last.start - case.model.history)
    return [key for key in lake.partitions(features.table(case)) if oldest.key <= key <= last.key]


def _waits_for(case: UseCase, key: str, delivered: Mapping[str, Collection[str]]) -> str:
    dates = calendar(case)
    day = dates.at(key)
    needed = dates.keys(dates.step(day, 1).key, dates.last_visible(dates.matures_at(day)).key)
    absent = [f"{source} of {late}" for source, have in delivered.items() for late in needed if late not in have]
    return f"waits for {', '.join(absent[:3])}" if absent else ""

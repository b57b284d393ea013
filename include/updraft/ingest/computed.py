"""Partitions that were computed, and which of them would have seen rows that appear in their past."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from updraft.asof import Which, built_table
from updraft.errors import FeaturesInvalid, SpecInvalid
from updraft.lake import Lake
from updraft.partition import Partition, calendar
from updraft.query import shared_of, sources_of
from updraft.spec import shared
from updraft.spec.model import UseCase

Computed = Mapping[Which, Sequence[Partition]]


def computed(case: UseCase, lake: Lake) -> Computed:
    """Partitions there are of features, of labels, and of the shared feature sets that the use case computes."""
    tables = ("features", "label", *shared.computed_with(case))
    there = {which: set(lake.partitions(built_table(case, which))) for which in tables}
    there["features"] |= empty(case, lake)
    return {which: [calendar(case).at(key) for key in sorted(keys)] for which, keys in there.items()}


def affected(
    case: UseCase, source: str, known_from: datetime, partition: str, there: Computed
) -> dict[Which, tuple[str, ...]]:
    """Partitions whose view would show rows of a delivery of `partition`, known at `known_from`.

    :param there: Partitions that were computed.
    """
    dates, lookback = calendar(case), case.sources[source].lookback
    delivered, found = dates.at(partition), {}
    for which, days in there.items():
        moments = ((day, dates.matures_at(day) if which == "label" else day.as_of) for day in days)
        sees = tuple(
            day.key
            for day, moment in moments
            if known_from <= moment and dates.back(day, lookback) <= delivered <= dates.last_visible(moment)
        )
        found[which] = sees if sees and _reads(case, which, source) else ()
    return found


def of_shared(found: Mapping[Which, Iterable[str]]) -> tuple[str, ...]:
    """Partitions of shared feature sets among what is affected, as `<name>/<partition>`."""
    names = sorted(set(found) - {"features", "label"})
    return tuple(f"{name}/{key}" for name in names for key in found[name])


def mark_empty(case: UseCase, keys: Iterable[str], lake: Lake) -> None:
    """Note partitions whose features were computed and have no row, of which a table keeps nothing."""
    for key in keys:
        lake.create(_empty(case, key), b"{}\n")


def empty(case: UseCase, lake: Lake) -> set[str]:
    """Partitions whose features once had no row."""
    return {place.rpartition("/")[2] for place in lake.keys(_empty(case, "").rstrip("/"))}


def _empty(case: UseCase, key: str) -> str:
    return f"empty/{case.name}/{key}"


def _reads(case: UseCase, which: Which, source: str) -> bool:
    """Whether a query reads a source, itself or through a shared feature set computed from it."""
    own = shared.computed_with(case)
    asked = shared.as_case(which, case.folder.parent) if which in own else case
    try:
        sql, where = asked.sql(which), f"{which}.sql of {case.name}"
        if source in sources_of(asked, sql, where):
            return True
        return any(_reads(case, name, source) for name in shared_of(asked, sql, where) if name in own)
    except (FeaturesInvalid, SpecInvalid):
        # Nobody knows what a broken query read before it was broken; that is for the features stage to say.
        return True

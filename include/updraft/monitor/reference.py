"""What the champion's rows looked like when it was made, as counts: monitoring never reads training rows again."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from updraft.errors import ModelRejected
from updraft.monitor.conduct import Conduct
from updraft.monitor.distance import Mass
from updraft.monitor.histogram import Histogram, histogram
from updraft.spec.model import UseCase

if TYPE_CHECKING:
    from pandas import DataFrame, Series


MOST_LEVELS = 5_000
# Partitions that are counted one by one, the newest of them: nearly three years of days, six weeks of hours.
MOST_PARTITIONS = 1_000


@dataclass(frozen=True)
class Seen:
    """What one feature took in the training rows; all `None` where that is not known.

    :param low: Smallest number.
    :param high: Largest number.
    :param levels: Every category; `None` as well when they are too many to keep.
    :param fresh: Largest share of a partition's rows with a category that no partition before it had, over the newer
        half of the partitions: what new categories are usual.
    :param alike: Largest share of a partition's rows that had one and the same value.
    :param spread: Standard deviation of the numbers.
    :param sums: What the numbers add up to per cell of the histogram.
    """

    low: float | None = None
    high: float | None = None
    levels: tuple[str, ...] | None = None
    fresh: float | None = None
    alike: float | None = None
    spread: float | None = None
    sums: tuple[float, ...] | None = None


@dataclass(frozen=True)
class Profile:
    """Counts of everything that drift is measured against; holds no row, and of the values only cuts and bounds.

    :param features: Histogram per feature.
    :param scores: Histogram of the champion's scores.
    :param conduct: How the champion behaved on its holdout; references of earlier versions lack it.
    :param seen: What each feature took; references of earlier versions lack it, and everything below.
    :param partitions: Keys of the partitions that are counted one by one, in order.
    :param parts: Per feature, the rows of each of them in the cells of its histogram.
    :param importance: The champion's mean absolute contribution per feature, adding up to 1.
    :param told_apart: How easily runs of `run_width` partitions of the reference are told from each other (AUC).
    """

    features: Mapping[str, Histogram]
    scores: Histogram
    seen: Mapping[str, Seen] = field(default_factory=dict)
    conduct: Conduct | None = field(default=None, kw_only=True)
    partitions: tuple[str, ...] = ()
    parts: Mapping[str, tuple[tuple[int, ...], ...]] = field(default_factory=dict)
    importance: Mapping[str, float] = field(default_factory=dict)
    told_apart: tuple[float, ...] = ()
    run_width: int = 0

    @cached_property
    def derived(self) -> dict[tuple[str, ...], Any]:
        """What follows from the profile alone, kept by whoever works it out, so that each look need not do it anew."""
        return {}

    def part(self, name: str) -> NDArray[np.int64]:
        """Rows of a feature by partition and cell; without rows where they are not kept."""
        if ("part", name) not in self.derived:
            rows = np.asarray(self.parts.get(name, ()), dtype=np.int64).reshape(-1, len(self.features[name].counts))
            self.derived["part", name] = rows
        found: NDArray[np.int64] = self.derived["part", name]
        return found


def profile(
    frame: "DataFrame", case: UseCase, scores: ArrayLike, importance: Mapping[str, float] | None = None
) -> Profile:
    """Count the rows of the champion's windows: training, validation and holdout.

    :param frame: Feature frame with those rows; counted by partition as well where it says which.
    :param scores: The champion's scores, or predicted classes, of rows it did *not* learn from, shape (any,): on its
        own training rows a model is surer than it will ever be again, and every window would seem to have drifted.
    :param importance: Share of each feature in what the champion says (see `updraft.monitor.importance`).
    """
    features = {name: histogram(frame[name], feature.type) for name, feature in case.learned.items()}
    keys = frame["partition"].astype(str) if "partition" in frame else None
    newest = () if keys is None else tuple(sorted(keys.unique())[-MOST_PARTITIONS:])
    parts = {} if keys is None else {name: _parts(cells, frame[name], keys, newest) for name, cells in features.items()}
    seen = {name: _seen(frame[name], cells, keys) for name, cells in features.items()}
    counted = histogram(scores, "category" if case.label.classes else "number")
    return Profile(features, counted, seen, newest, parts, dict(importance or {}))


def _parts(
    cells: Histogram, values: "Series[Any]", keys: "Series[str]", partitions: Sequence[str]
) -> tuple[tuple[int, ...], ...]:
    import pandas as pd

    groups = pd.Index(partitions).get_indexer(pd.Index(keys))
    counted = cells.count_by(values.to_numpy(), groups, len(partitions))
    return tuple(tuple(row) for row in counted.tolist())


def _seen(values: "Series[Any]", cells: Histogram, keys: "Series[str] | None") -> Seen:
    if cells.kind == "category":
        levels = values.dropna().astype(str).unique()
        few = len(levels) <= MOST_LEVELS
        alike = _alike(values, keys)
        return Seen(levels=tuple(sorted(levels)), fresh=_fresh(values, keys), alike=alike) if few else Seen(alike=alike)
    numbers = values.to_numpy(float)
    finite = numbers[np.isfinite(numbers)]
    if not len(finite):
        return Seen()
    sums = Mass.of(cells, finite).sums
    low, high, spread = float(finite.min()), float(finite.max()), float(finite.std())
    return Seen(low, high, alike=_alike(values, keys), spread=spread, sums=tuple(sums.tolist()))


def _alike(values: "Series[Any]", keys: "Series[str] | None") -> float | None:
    """Largest share of one value among the values of a partition; `None` where partitions are not known."""
    if keys is None or not values.notna().any():
        return None
    times = values.groupby([keys, values]).size().groupby(level=0)
    return float((times.max() / times.sum()).max())


def _fresh(values: "Series[Any]", keys: "Series[str] | None") -> float | None:
    """Largest share of new categories among the newer half of the partitions; `None` where they are not known."""
    if keys is None or keys.nunique() < 2:
        return None
    present = values.dropna().astype(str)
    first = keys[present.index].groupby(present).min()
    new = (present.map(first) == keys[present.index]).groupby(keys[present.index]).mean()
    shares = new.reindex(sorted(keys.unique()), fill_value=0.0)
    return float(shares.iloc[len(shares) // 2 :].max())


def to_bytes(reference: Profile) -> bytes:
    """JSON of a profile; the same profile gives the same bytes."""
    return json.dumps(asdict(reference), sort_keys=True, allow_nan=False, separators=(",", ":")).encode()


def from_bytes(content: bytes) -> Profile:
    """Read a profile back.

    :raises ModelRejected: If the bytes are not a profile.
    """
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(Profile).validate_json(content, strict=True)
    except ValidationError as broken:
        first = broken.errors(include_input=False, include_url=False)[0]
        raise ModelRejected(
            f"The monitoring reference is not readable: {first['msg'][:200]} at {str(first['loc'])[:100]}.",
            next_step="compare its digest with the model's manifest; train again if it was changed.",
        ) from broken

"""What the champion's rows looked like when it was made, as counts: monitoring never reads training rows again."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from updraft.errors import ModelRejected
from updraft.monitor.conduct import Conduct
from updraft.monitor.histogram import Histogram, histogram
from updraft.spec.model import UseCase

if TYPE_CHECKING:
    from pandas import DataFrame, Series


MOST_LEVELS = 5_000


@dataclass(frozen=True)
class Seen:
    """What one feature took in the training rows; all `None` where that is not known.

    :param low: Smallest number.
    :param high: Largest number.
    :param levels: Every category; `None` as well when they are too many to keep.
    """

    low: float | None = None
    high: float | None = None
    levels: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Profile:
    """Counts of everything that drift is measured against; holds no row, and of the values only cuts and bounds.

    :param features: Histogram per feature.
    :param scores: Histogram of the champion's scores.
    :param seen: What each feature took; references of earlier versions lack it.
    :param conduct: How the champion behaved on its holdout; references of earlier versions lack it.
    """

    features: Mapping[str, Histogram]
    scores: Histogram
    seen: Mapping[str, Seen] = field(default_factory=dict)
    conduct: Conduct | None = field(default=None, kw_only=True)


def profile(frame: "DataFrame", case: UseCase, scores: ArrayLike) -> Profile:
    """Count the champion's training rows.

    :param frame: Feature frame with the rows the champion was trained on.
    :param scores: The champion's scores, or predicted classes, of rows it did *not* learn from, shape (any,): on its
        own training rows a model is surer than it will ever be again, and every window would seem to have drifted.
    """
    features = {name: histogram(frame[name], feature.type) for name, feature in case.learned.items()}
    seen = {name: _seen(frame[name], feature.type) for name, feature in case.learned.items()}
    return Profile(features, histogram(scores, "category" if case.label.classes else "number"), seen)


def _seen(values: "Series[Any]", kind: str) -> Seen:
    if kind == "category":
        levels = values.dropna().astype(str).unique()
        return Seen(levels=tuple(sorted(levels))) if len(levels) <= MOST_LEVELS else Seen()
    numbers = values.to_numpy(float)
    finite = numbers[np.isfinite(numbers)]
    return Seen(float(finite.min()), float(finite.max())) if len(finite) else Seen()


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

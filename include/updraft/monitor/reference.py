"""What the champion's rows looked like when it was made, as counts: monitoring never reads training rows again."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from numpy.typing import ArrayLike

from updraft.errors import ModelRejected
from updraft.monitor.histogram import Histogram, histogram
from updraft.spec.model import UseCase

if TYPE_CHECKING:
    from pandas import DataFrame


@dataclass(frozen=True)
class Profile:
    """Counts of everything that drift is measured against; holds no row, and of the values only the cuts.

    :param features: Histogram per feature.
    :param scores: Histogram of the champion's scores.
    """

    features: Mapping[str, Histogram]
    scores: Histogram


def profile(frame: "DataFrame", case: UseCase, scores: ArrayLike) -> Profile:
    """Count the champion's training rows.

    :param frame: Feature frame with the rows the champion was trained on.
    :param scores: The champion's scores of rows it did *not* learn from, shape (any,): on its own training rows a
        model is surer than it will ever be again, and every window would seem to have drifted.
    """
    features = {name: histogram(frame[name], feature.type) for name, feature in case.learned.items()}
    return Profile(features, histogram(scores, "number"))


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

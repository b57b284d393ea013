"""A predicted number stays as the learner gave it."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from updraft.model import canonical


@dataclass(frozen=True)
class AsIs:
    """No calibration of numbers.

    Squared error is consistent for the mean (Gneiting, JASA 2011, theorem 7): what was fitted by it means what it says
    already, and a slope from a few days of validation would add more noise than it mends.
    """

    def probability(self, predicted: NDArray[np.float64]) -> NDArray[np.float64]:
        """The numbers themselves."""
        if predicted.ndim != 1:
            raise ValueError(f"one number per row is expected, not {predicted.shape}")
        return predicted

    def shares(self, contributions: NDArray[np.float64]) -> NDArray[np.float64]:
        """The learner's own contributions: a row sums to the number."""
        return contributions

    def dump(self) -> bytes:
        """Write as JSON."""
        return canonical.dump({})

    @classmethod
    def parse(cls, content: bytes) -> Self:
        """Read what `dump` wrote.

        :raises ValueError: If it is anything else.
        """
        if canonical.parse(content) != {}:
            raise ValueError("the prediction of a number has no calibration")
        return cls()

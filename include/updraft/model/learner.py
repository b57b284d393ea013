"""What every family of models has in common."""

from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray


class Learner(Protocol):
    """A fitted function from an encoded row to what the label's kind adds up on, as data.

    That is the log-odds of a binary label, one score per class for several (their softmax is the probability), and the
    number itself for a number. `family` names it in specs and manifests, `file` is what it is stored as.
    """

    family: ClassVar[str]
    file: ClassVar[str]

    def log_odds(self, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
        """Uncalibrated log-odds or number per row (n,), or score per row and class (n, k), of an encoder's matrix."""
        ...

    def contributions(self, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
        """Each feature's share of `log_odds`, then the base, as the last axis, which sums to `log_odds`."""
        ...

    def dump(self) -> bytes:
        """Write the file."""
        ...

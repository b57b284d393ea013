"""What every family of models has in common."""

from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray


class Learner(Protocol):
    """A fitted function from an encoded row to the log-odds of the label, as data.

    `family` names it in specs and manifests, `file` is what it is stored as.
    """

    family: ClassVar[str]
    file: ClassVar[str]

    def log_odds(self, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
        """Uncalibrated log-odds per row of an encoder's matrix."""
        ...

    def contributions(self, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
        """Rows by features plus one: each feature's share of the log-odds, then the base; a row sums to `log_odds`."""
        ...

    def dump(self) -> bytes:
        """Write the file."""
        ...

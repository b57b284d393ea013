"""The trivial model: everybody gets the base rate, or the mean. Whoever cannot beat it has learnt nothing."""

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from updraft.model import canonical


@dataclass(frozen=True)
class Constant:
    """The same log-odds, scores of the classes, or number for every row."""

    family: ClassVar[str] = "trivial"
    file: ClassVar[str] = "constant.json"

    base: float | tuple[float, ...]

    def log_odds(self, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
        """Repeat the base.

        >>> Constant(-1.5).log_odds(np.zeros((2, 3))).tolist()
        [-1.5, -1.5]
        """
        return np.full((len(matrix), *np.shape(self.base)), self.base)

    def contributions(self, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
        """No feature contributes: zeros, then the base."""
        shares = np.zeros((len(matrix), *np.shape(self.base), matrix.shape[1] + 1))
        shares[..., -1] = self.base
        return shares

    def dump(self) -> bytes:
        """Write as JSON."""
        return canonical.dump({"base": self.base})

    @classmethod
    def parse(cls, content: bytes) -> Self:
        """Read what `dump` wrote."""
        base = canonical.parse(content)["base"]
        return cls(tuple(map(float, base)) if isinstance(base, list) else float(base))

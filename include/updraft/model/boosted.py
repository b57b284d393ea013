"""Boosted trees: LightGBM's native text, without the settings it was trained with.

The settings name the number of threads, which must not change a model's digest. The parser of the text is not memory
safe: nothing here may be reached before the digest of the text was checked.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from lightgbm import Booster


@dataclass(frozen=True)
class Boosted:
    """Trees as text.

    :param text: LightGBM's model text up to its parameters.
    :param threads: Threads of a prediction; the result does not depend on it.
    """

    family: ClassVar[str] = "lightgbm"
    file: ClassVar[str] = "lightgbm.txt"

    text: str
    threads: int = 1

    @classmethod
    def of(cls, booster: "Booster", threads: int) -> Self:
        """Take the trees out of a trained booster."""
        return cls(booster.model_to_string().partition("\nparameters:")[0] + "\n", threads)

    def log_odds(self, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
        """Add up the leaves per row, or per row and class."""
        return self._predict(matrix, (len(matrix), *self._classes), raw_score=True)

    def contributions(self, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
        """Exact path-dependent Shapley values, then the base, as the last axis (Lundberg et al., 2018).

        About a hundred times the price of `log_odds`.
        """
        return self._predict(matrix, (len(matrix), *self._classes, matrix.shape[1] + 1), pred_contrib=True)

    def gain(self) -> NDArray[np.float64]:
        """Total gain of the splits on each feature."""
        return np.asarray(self._booster.feature_importance("gain"), dtype=np.float64)

    def dump(self) -> bytes:
        """Write the text."""
        return self.text.encode()

    @classmethod
    def parse(cls, content: bytes, threads: int = 1) -> Self:
        """Keep the text; it is parsed at the first use."""
        return cls(content.decode(), threads)

    @property
    def _classes(self) -> tuple[int, ...]:
        """Number of classes as a shape; empty when there is one tree per round."""
        trees = self._booster.num_model_per_iteration()
        return (trees,) if trees > 1 else ()

    def _predict(self, matrix: NDArray[np.float64], shape: tuple[int, ...], **kind: bool) -> NDArray[np.float64]:
        if not len(matrix):
            return np.empty(shape)
        from lightgbm.basic import LightGBMError

        try:
            found = self._booster.predict(matrix, num_threads=self.threads, **kind)
        except LightGBMError as fault:
            raise ValueError(f"LightGBM cannot use these trees: {str(fault)[:300]}") from fault
        return np.asarray(found, dtype=np.float64).reshape(shape)

    @cached_property
    def _booster(self) -> "Booster":
        from lightgbm import Booster
        from lightgbm.basic import LightGBMError

        try:
            return Booster(model_str=self.text)
        except LightGBMError as fault:
            raise ValueError(f"LightGBM cannot use these trees: {str(fault)[:300]}") from fault

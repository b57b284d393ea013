"""What a linear model is fitted to: a sparse design, one block of columns per feature; and its weights as terms."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from updraft.model.encoder import Encoder
from updraft.model.linear import Category, Number, Scaling, Term


@dataclass(frozen=True)
class Design:
    """Standardised numbers, an indicator where a number is missing now and then, and a column per category code.

    :param columns: The sparse design, rows by columns.
    :param widths: Columns of each feature; the first of a number's is the number itself.
    """

    columns: Any
    widths: tuple[int, ...]
    scalings: tuple[Scaling | None, ...]
    matrix: NDArray[np.float64]

    @classmethod
    def of(cls, encoder: Encoder, matrix: NDArray[np.float64]) -> Self:
        """Make the design of training rows as `encoder` gives them."""
        from scipy import sparse

        codes = encoder.categories
        scalings = tuple(None if i in codes else Scaling.fit(column) for i, column in enumerate(matrix.T))
        blocks = [
            _one_hot(column, codes[i]) if scaling is None else _number(column, scaling)
            for i, (column, scaling) in enumerate(zip(matrix.T, scalings, strict=True))
        ]
        # A sparse product runs in one thread, so the coefficients do not depend on the machine's cores.
        return cls(sparse.hstack(blocks, format="csr"), tuple(b.shape[1] for b in blocks), scalings, matrix)

    @property
    def firsts(self) -> NDArray[np.int64]:
        """First column of each feature."""
        return np.cumsum([0, *self.widths[:-1]])

    def terms(self, weights: NDArray[np.float64]) -> tuple[Term, ...]:
        """Sort the weights of the columns into one term per feature."""
        own = np.split(weights, self.firsts[1:])
        return tuple(_term(*fitted) for fitted in zip(self.scalings, own, self.matrix.T, strict=True))


def _number(column: NDArray[np.float64], scaling: Scaling) -> Any:
    from scipy import sparse

    missing = np.isnan(column)
    parts = [scaling.apply(column)]
    if missing.any() and not missing.all():
        parts.append(missing.astype(np.float64))
    return sparse.csr_array(np.column_stack(parts))


def _one_hot(column: NDArray[np.float64], codes: int) -> Any:
    from scipy import sparse

    rows = np.arange(len(column))
    return sparse.csr_array((np.ones(len(column)), (rows, column.astype(np.int64))), shape=(len(column), codes))


def _term(scaling: Scaling | None, weights: NDArray[np.float64], column: NDArray[np.float64]) -> Term:
    if scaling is None:
        category = Category(tuple(weights.tolist()), 0.0)
        return Category(category.weights, float(category.values(column).mean()))
    number = Number(scaling, float(weights[0]), float(weights[1]) if len(weights) > 1 else 0.0, 0.0)
    return Number(scaling, number.weight, number.missing, float(number.values(column).mean()))

"""Linear models as data: one term per feature, whose values add up to the log-odds, a class's score, or the number.

Everything about a feature stays in its term, so its contribution is exact: the term's value less its mean over the
training rows. That is the Shapley value of a linear model with independent features (Lundberg and Lee, NIPS 2017,
corollary 1).
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from updraft.model import canonical

CLIP = 10.0


@dataclass(frozen=True)
class Scaling:
    """How a number is brought to mean 0 and deviation 1, with the median where it is missing."""

    median: float
    mean: float
    scale: float

    @classmethod
    def fit(cls, values: NDArray[np.float64]) -> Self:
        """Measure training values; one without any, or without variation, stands at 0 for every training row."""
        present = values[~np.isnan(values)]
        median = float(np.median(present)) if len(present) else 0.0
        filled = np.where(np.isnan(values), median, values)
        return cls(median, float(filled.mean()), float(filled.std()) or 1.0)

    def apply(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Standardise, within `CLIP` deviations: one absurd value must not outweigh all other features.

        >>> Scaling(median=1.0, mean=2.0, scale=0.5).apply(np.array([3.0, np.nan, 1e9])).tolist()
        [2.0, -2.0, 10.0]
        """
        filled = np.where(np.isnan(values), self.median, values)
        with np.errstate(over="ignore"):
            return np.clip((filled - self.mean) / self.scale, -CLIP, CLIP)


@dataclass(frozen=True)
class Number:
    """Term of a number: `weight` per deviation, and `missing` where there is none.

    :param average: Mean of the term over the training rows.
    """

    scaling: Scaling
    weight: float
    missing: float
    average: float

    def values(self, column: NDArray[np.float64]) -> NDArray[np.float64]:
        """The term per row."""
        return self.weight * self.scaling.apply(column) + self.missing * np.isnan(column)


@dataclass(frozen=True)
class Category:
    """Term of a category: one weight per code.

    :param average: Mean of the term over the training rows.
    """

    weights: tuple[float, ...]
    average: float

    def values(self, column: NDArray[np.float64]) -> NDArray[np.float64]:
        """The term per row."""
        return np.asarray(self.weights)[column.astype(np.int64)]


Term = Number | Category


@dataclass(frozen=True)
class Linear:
    """Logistic regression: terms in the order of the encoder's features, and the log-odds where every term is 0."""

    family: ClassVar[str] = "logistic"
    file: ClassVar[str] = "linear.json"

    intercept: float
    terms: tuple[Term, ...]

    def log_odds(self, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
        """Add up the terms per row."""
        total = np.full(len(matrix), self.intercept)
        for column, term in enumerate(self.terms):
            total += term.values(matrix[:, column])
        return total

    def contributions(self, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
        """Rows by features plus one: each term less its training mean, then the log-odds of the mean training row."""
        shares = np.empty((len(matrix), len(self.terms) + 1))
        for column, term in enumerate(self.terms):
            shares[:, column] = term.values(matrix[:, column]) - term.average
        shares[:, -1] = self.intercept + sum(term.average for term in self.terms)
        return shares

    def dump(self) -> bytes:
        """Write as JSON."""
        return canonical.dump({"intercept": self.intercept, "terms": [asdict(term) for term in self.terms]})

    @classmethod
    def parse(cls, content: bytes) -> Self:
        """Read what `dump` wrote."""
        return cls.of(canonical.parse(content))

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Self:
        """Put together what JSON gave."""
        return cls(float(stored["intercept"]), tuple(_term(fields) for fields in stored["terms"]))


class Ridge(Linear):
    """Ridge regression: the terms add up to the number itself."""

    family: ClassVar[str] = "ridge"


@dataclass(frozen=True)
class Multinomial:
    """Multinomial logistic regression: one linear score per class."""

    family: ClassVar[str] = "logistic"
    file: ClassVar[str] = "linear.json"

    classes: tuple[Linear, ...]

    def log_odds(self, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
        """Rows by classes."""
        return np.column_stack([one.log_odds(matrix) for one in self.classes])

    def contributions(self, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
        """Rows by classes by features plus one."""
        return np.stack([one.contributions(matrix) for one in self.classes], axis=1)

    def dump(self) -> bytes:
        """Write as JSON."""
        return canonical.dump({"classes": [asdict(one) for one in self.classes]})

    @classmethod
    def parse(cls, content: bytes) -> Self:
        """Read what `dump` wrote."""
        return cls(tuple(Linear.of(stored) for stored in canonical.parse(content)["classes"]))


def _term(fields: dict[str, Any]) -> Term:
    if "weights" in fields:
        return Category(tuple(map(float, fields["weights"])), float(fields["average"]))
    weight, missing, average = (float(fields[name]) for name in ("weight", "missing", "average"))
    return Number(Scaling(**fields["scaling"]), weight, missing, average)

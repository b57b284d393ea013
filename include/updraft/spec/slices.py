"""Parts of the rows that are looked at by themselves: levels and ranges of features, and small conditions."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, Self

from pydantic import Field, model_validator

from updraft.spec.base import Part
from updraft.spec.names import Name

Kinds = Mapping[str, str]
Bins = Annotated[int, Field(ge=2, le=20)]


class Inside(Part):
    """What a feature of a row must be; a missing value is never inside."""

    among: tuple[str, ...] | None = Field(default=None, min_length=1, description="Levels of a category feature.")
    range: tuple[float, float] | None = Field(
        default=None, description="Smallest and largest value of a number feature, both inside."
    )

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        if (self.among is None) == (self.range is None):
            raise ValueError("say `among` for a category or `range` for a number")
        if self.range is not None and self.range[0] > self.range[1]:
            raise ValueError("a range is the smallest and then the largest value")
        return self


class Parts(Part):
    """Features that part the rows; a part with too few rows is looked at with the next larger ones."""

    by: tuple[Name, ...] = Field(default=(), description="Category features; each level is a part.")
    cut: dict[Name, tuple[float, ...] | Bins] = Field(
        default={},
        description="Number features, with the edges between the parts (an edge belongs to the part above it) or the "
        "number of parts of equal size.",
    )

    @model_validator(mode="after")
    def _edges_rise(self) -> Self:
        for feature, edges in self.cut.items():
            if isinstance(edges, tuple) and (not edges or any(a >= b for a, b in pairwise(edges))):
                raise ValueError(f"the edges of {feature!r} must rise, and there must be one")
        return self

    @property
    def empty(self) -> bool:
        """Whether nothing was declared."""
        return not self.by and not self.cut

    def misfit(self, kinds: Kinds) -> str:
        """Say which feature is not there or of another type; empty when all fit."""
        asked = [*((name, "category") for name in self.by), *((name, "number") for name in self.cut)]
        return _misfit(asked, kinds)


class Slices(Parts):
    """Parts of the holdout on which the candidate must not be worse than the champion."""

    where: dict[Name, dict[Name, Inside]] = Field(
        default={}, description="Slices of your own, by name: what each of the features named must be."
    )
    margin: float = Field(
        default=0.02, ge=0, description="How much worse on a slice is still not worse; read as `gates.margin` is."
    )
    min_rows: int = Field(default=200, ge=10, description="Fewest held-out rows a slice is judged on.")

    @model_validator(mode="after")
    def _conditions_say_something(self) -> Self:
        if hollow := [name for name, features in self.where.items() if not features]:
            raise ValueError(f"the slice {hollow[0]!r} names no feature")
        return self

    @property
    def empty(self) -> bool:
        """Whether nothing was declared."""
        return not self.where and super().empty

    def misfit(self, kinds: Kinds) -> str:
        """Say which feature is not there or of another type; empty when all fit."""
        conditions = [
            (feature, "number" if inside.among is None else "category")
            for features in self.where.values()
            for feature, inside in features.items()
        ]
        return super().misfit(kinds) or _misfit(conditions, kinds)


def _misfit(asked: list[tuple[str, str]], kinds: Kinds) -> str:
    for name, kind in asked:
        if name not in kinds:
            return f"{name!r} is not among the features"
        if kinds[name] != kind:
            return f"the feature {name!r} is a {kinds[name]}, a {kind} is needed"
    return ""

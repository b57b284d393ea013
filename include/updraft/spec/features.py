"""What the feature table promises: the `features:` and `contract:` parts of a use case.

A feature row is a prediction to be made, so none is ever left out: a rule warns, or it blocks the partition.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from updraft.spec.base import Part
from updraft.spec.contract import Among, Condition, Coverage, Missing, Range, Rows, Volume
from updraft.spec.names import Name

_SEVERITY = "`warn` only counts the rows, `block` publishes nothing of the partition."
Share = Annotated[float, Field(ge=0, le=1)]


class _OfFeatures(Part):
    severity: Literal["warn", "block"] = Field(default="block", description=_SEVERITY)


class _OfFeatureRows(_OfFeatures):
    tolerance: Share | None = Field(
        default=None, description="Share of rows that may break it; above it the partition is blocked."
    )


class FeatureRange(_OfFeatureRows, Range):
    """Values lie between two ends, which belong to it."""


class FeatureAmong(_OfFeatureRows, Among):
    """Values are some of a few."""


class FeatureMissing(_OfFeatures, Missing):
    """Values may be missing, but not too often."""

    max: Share = Field(description="Largest share of a partition's rows in which the value may be missing.")


class FeatureCondition(_OfFeatureRows, Condition):
    """Columns of a feature row fit each other."""


class Feature(Part):
    """One column of `features.sql`, and what every value of it must satisfy."""

    type: Literal["number", "category"] = Field(description="How models read it.")
    nullable: bool = Field(default=True, description="Whether it may be missing.")
    learn: bool = Field(default=True, description="Whether models see it; if not, it only parts rows for the gates.")
    about: str = Field(default="", description="What it means.")
    monotone: Literal["increasing", "decreasing"] | None = Field(
        default=None, description="The only way in which more of this number may move a prediction."
    )
    missing: FeatureMissing | None = Field(
        default=None, description="How often a nullable feature may be missing: `{max: 0.05}`."
    )
    range: FeatureRange | None = Field(default=None, description="Smallest and largest value allowed: `[0, null]`.")
    among: FeatureAmong | None = Field(default=None, description="The only values allowed: `[EWR, JFK, LGA]`.")

    @model_validator(mode="after")
    def _rules_fit_the_type(self) -> Self:
        if self.range is not None and self.type != "number":
            raise ValueError(f"`range` is for numbers, this feature is a {self.type}")
        if self.among is not None and self.type != "category":
            raise ValueError(f"`among` is for categories, this feature is a {self.type}; say `range`")
        if self.missing is not None and not self.nullable:
            raise ValueError("`missing` is for nullable features; of this one no value may be missing")
        return self


class FeatureContract(Part):
    """What the features of a partition must satisfy as a whole, before they are published."""

    rows: Rows = Field(default=Rows(between=(0, 10_000_000)), description="Fewest and most rows: `[300, 3000]`.")
    volume: Volume | None = Field(
        default=None, description="How many rows there may be beside recent partitions: `{recent: 7}`."
    )
    coverage: Coverage | None = Field(
        default=None, description="The source whose every fact in the partition needs a row: `schedule`."
    )
    conditions: dict[Name, FeatureCondition] = Field(
        default={}, description="What must hold between columns, by name: `{week_in_month: rate_7d <= 4 * rate_28d}`."
    )

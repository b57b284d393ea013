"""What a source promises: the rules of its rows and deliveries, each with what follows when it is broken.

A rule may be written short, as its first field alone: `range: [0, 10]` is `range: {between: [0, 10]}`.
"""

from datetime import timedelta
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from updraft.spec import patterns
from updraft.spec.base import Part
from updraft.spec.durations import Duration
from updraft.spec.names import Name

Severity = Literal["warn", "quarantine", "block"]
Scalar = str | int | float | bool
Share = Annotated[float, Field(ge=0, le=1)]


class Rule(Part):
    """Something that must hold."""

    kind: ClassVar[str]
    severity: Severity = Field(description="What a break of it leads to.")

    @model_validator(mode="before")
    @classmethod
    def _short(cls, said: Any) -> Any:
        """Read what is no mapping as the first field of its own; strictness takes no list for a tuple from here on."""
        first = next((field for field in cls.model_fields if field not in RowRule.model_fields), None)
        if not isinstance(said, dict | Part) and first is not None:
            said = {first: said}
        if not isinstance(said, dict):
            return said
        return {field: tuple(given) if isinstance(given, list) else given for field, given in said.items()}

    @property
    def limit(self) -> float | None:
        """Share of rows that may break it before the delivery is blocked; `None` when it never blocks by itself."""
        return 0.0 if self.severity == "block" else None


class RowRule(Rule):
    """Something that every row must satisfy."""

    severity: Severity = Field(
        default="quarantine", description="`warn` only counts the row, `quarantine` keeps it out, `block` refuses all."
    )
    tolerance: Share | None = Field(
        default=None, description="Share of rows that may break it; above it the delivery is blocked."
    )

    @model_validator(mode="after")
    def _a_warning_blocks_nothing(self) -> Self:
        if self.severity == "warn" and self.tolerance is not None:
            raise ValueError("a rule that only warns has no `tolerance`: it never blocks a delivery")
        return self

    @property
    def limit(self) -> float | None:
        """Share of rows that may break it before the delivery is blocked."""
        return super().limit if self.tolerance is None else self.tolerance


class DeliveryRule(Rule):
    """Something that a delivery as a whole must satisfy; it names no rows."""

    severity: Literal["warn", "block"] = Field(default="block", description="`warn` only says so, `block` refuses all.")


class Range(RowRule):
    """Values lie between two ends, which belong to it."""

    kind: ClassVar[str] = "range"
    between: tuple[float | None, float | None] = Field(
        description="Smallest and largest value allowed; `null` leaves a side open."
    )


class Among(RowRule):
    """Values are some of a few."""

    kind: ClassVar[str] = "among"
    values: tuple[Scalar, ...] = Field(min_length=1, description="The only values allowed.")


class Pattern(RowRule):
    """Texts have a form."""

    kind: ClassVar[str] = "pattern"
    matches: patterns.Pattern = Field(
        description="Regular expression for the whole text, without look-around and back-references."
    )


class Missing(Rule):
    """Values may be missing, but not too often."""

    kind: ClassVar[str] = "missing"
    max: Share = Field(description="Largest share of a delivery's readable rows in which the value may be missing.")
    severity: Severity = Field(
        default="block",
        description="Above `max`: `warn` counts the rows, `quarantine` keeps them out, `block` refuses all.",
    )


class Unique(Rule):
    """A key appears once within a delivery."""

    kind: ClassVar[str] = "unique"
    severity: Severity = Field(
        default="quarantine",
        description="`warn` counts the rows that come again, `quarantine` keeps them out, `block` refuses all.",
    )


class Condition(RowRule):
    """Columns of a row fit each other."""

    kind: ClassVar[str] = "condition"
    sql: str = Field(min_length=1, description="SQL over the row's columns; a row breaks it when it is false.")


class Reference(RowRule):
    """Values exist in another source."""

    kind: ClassVar[str] = "references"
    to: str = Field(
        pattern=r"^[a-z][a-z0-9_]{0,62}\.[a-z][a-z0-9_]{0,62}$",
        description="`source.column`, whose published rows within that source's `lookback` must hold the value.",
    )

    @property
    def source(self) -> str:
        """Source that must hold the value."""
        return self.to.split(".")[0]

    @property
    def column(self) -> str:
        """Its column."""
        return self.to.split(".")[1]


class Rows(DeliveryRule):
    """A delivery has a number of rows."""

    kind: ClassVar[str] = "rows"
    between: tuple[int, int] = Field(default=(1, 10_000_000), description="Fewest and most rows a delivery may have.")


class Volume(DeliveryRule):
    """A delivery has about as many rows as those of recent partitions; one that corrects another is not compared."""

    kind: ClassVar[str] = "volume"
    recent: int = Field(ge=1, le=400, description="Published partitions before this one that it is compared to.")
    between: tuple[float, float] = Field(
        default=(0.5, 2.0), description="Smallest and largest ratio to the median of their rows."
    )


class Coverage(DeliveryRule):
    """A partition has a row of features for each fact of a source that happens in it."""

    kind: ClassVar[str] = "coverage"
    of: Name = Field(description="The source, as it was known at the partition's moment.")
    between: tuple[float, float] = Field(
        default=(1.0, 1.0), description="Smallest and largest ratio of the rows to the facts."
    )


class Freshness(DeliveryRule):
    """A delivery brings something new."""

    kind: ClassVar[str] = "freshness"
    within: Duration = Field(
        gt=timedelta(0), description="Its newest row is at most this much older than the partition's moment."
    )
    by: Literal["event_time", "known_at"] = Field(
        default="event_time", description="Which of a row's times counts; `known_at` needs `known_at.column`."
    )


class Contract(Part):
    """What a delivery as a whole must satisfy."""

    rows: Rows = Field(default=Rows(), description="Fewest and most rows a delivery may have: `[300, 3000]`.")
    unique: Unique | None = Field(
        default=Unique(), description="Whether the key may appear only once within a delivery: `true` or `false`."
    )
    tolerance: Share = Field(
        default=0.01, description="Share of bad rows that goes to quarantine; above it the delivery is blocked."
    )
    volume: Volume | None = Field(
        default=None, description="How many rows it may have beside recent partitions: `{recent: 7}`."
    )
    freshness: Freshness | None = Field(default=None, description="How new its newest row must be: `2d`.")
    conditions: dict[Name, Condition] = Field(
        default={}, description="What must hold between columns, by name: `{lands_later: departure < arrival}`."
    )
    references: dict[Name, Reference] = Field(
        default={}, description="Columns whose values must exist in another source: `{flight_id: schedule.flight_id}`."
    )

    @field_validator("unique", mode="before")
    @classmethod
    def _yes_or_no(cls, said: Any) -> Any:
        return {True: {}, False: None}[said] if isinstance(said, bool) else said

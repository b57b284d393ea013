"""What fair means to a team: how far groups of rows may be apart in how often they are acted on."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from updraft.spec.slices import Parts

Gap = Annotated[float, Field(ge=0, le=1)]


class Fairness(Parts):
    """Groups that must be treated alike; rows whose group is missing belong to none."""

    demographic_parity: Gap | None = Field(
        default=None, description="Largest difference between two groups in the share of rows acted on."
    )
    equalized_odds: Gap | None = Field(
        default=None,
        description="Largest difference between two groups in the share acted on among the rows that came true, and "
        "among those that did not.",
    )
    margin: float = Field(
        default=0.05, ge=0, description="How much larger than the champion's a difference may be and still pass."
    )
    min_rows: int = Field(
        default=100, ge=10, description="Fewest held-out rows of a group in each share; below it: INSUFFICIENT."
    )

    @model_validator(mode="after")
    def _groups_have_limits(self) -> Self:
        if self.empty != (self.demographic_parity is None and self.equalized_odds is None):
            raise ValueError(
                "fairness needs groups, `by` or `cut`, and a limit, `demographic_parity` or `equalized_odds`"
            )
        return self

"""What is watched of a champion at work, as a spec says it."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from updraft.spec.base import Part
from updraft.spec.outcomes import Outcomes

Share = Annotated[float, Field(ge=0, le=1)]


class Monitor(Part):
    """What is watched, and from where on it is an incident."""

    window: int = Field(default=7, ge=1, description="Partitions pooled into one look.")
    min_rows: int = Field(default=500, ge=10, description="Fewest rows in a look; below it the status is unknown.")
    psi: float = Field(default=0.2, gt=0, description="Population stability index from which a shift has an effect.")
    drifted_share: Share = Field(
        default=0.3, description="Share of the champion's importance on drifted features that makes an alarm."
    )
    season: Literal["none", "week", "year"] = Field(
        default="none",
        description="Compare with all partitions of the reference, those of the same weekdays, or those of the same "
        "season (45 days either side).",
    )
    max_drop: float = Field(
        default=0.05,
        gt=0,
        description="Loss of AUC against what the holdout surely showed that makes an alarm: of macro AUC for classes; "
        "the share by which RMSE rises for numbers.",
    )
    alarms: int = Field(default=2, ge=1, description="Alarms among the last `of` partitions that make an incident.")
    of: int = Field(default=5, ge=1, description="How many of the newest partitions the alarms are counted over.")
    outcomes: Outcomes = Field(default=Outcomes())

    @model_validator(mode="after")
    def _alarms_fit(self) -> Self:
        if self.alarms > self.of:
            raise ValueError("`alarms` cannot be more than `of`")
        return self

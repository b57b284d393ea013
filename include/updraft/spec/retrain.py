"""When to train again, as a spec says it."""

from datetime import timedelta
from typing import Self

from pydantic import Field, model_validator

from updraft.spec.base import Part
from updraft.spec.crons import Cron
from updraft.spec.durations import Duration, render


class Retrain(Part):
    """When to train again, and when not to."""

    cron: Cron | None = Field(default=None, description="Schedule of `<use case>__train`; none when empty.")
    every: Duration | None = Field(
        default=None, description="The controller asks for a training when the last one lies this far back."
    )
    new_labels: int | None = Field(
        default=None, ge=1, description="The controller asks for a training when this many new rows have mature labels."
    )
    cooldown: Duration = Field(default=timedelta(days=7), description="Quiet time after a training.")
    # As many as half the cooldown allows, by which a champion heals that rose on a loss of performance.
    budget: int = Field(default=8, ge=0, description="Most trainings the controller asks for within `budget_period`.")
    budget_period: Duration = Field(default=timedelta(days=30), description="The span the budget is counted over.")
    attempts: int = Field(
        default=6, ge=1, description="Trainings for one incident that bring no better model; then a person is asked."
    )
    cost: float | None = Field(
        default=None,
        gt=0,
        description="What a training costs, in the unit of `problem.value` or `problem.cost`; an incident that loses "
        "less until the next training could be is not worth one.",
    )

    @model_validator(mode="after")
    def _every_can_be_kept(self) -> Self:
        if self.every is None:
            return self
        if self.every < self.cooldown:
            raise ValueError(f"`every` of {render(self.every)} lies within the cooldown of {render(self.cooldown)}")
        wanted = -(-self.budget_period // self.every)
        if wanted > self.budget:
            raise ValueError(
                f"`every` of {render(self.every)} asks for {wanted} trainings within {render(self.budget_period)}, "
                f"`budget` allows {self.budget}"
            )
        return self

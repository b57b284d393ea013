"""When to train again, as a spec says it."""

from datetime import timedelta

from pydantic import Field

from updraft.spec.base import Part
from updraft.spec.crons import Cron
from updraft.spec.durations import Duration


class Retrain(Part):
    """When to train again, and when not to."""

    cron: Cron | None = Field(default=None, description="Schedule of `<use case>__train`; none when empty.")
    cooldown: Duration = Field(default=timedelta(days=14), description="Quiet time after a training.")
    budget: int = Field(default=2, ge=0, description="Most incident-driven trainings within `budget_period`.")
    budget_period: Duration = Field(default=timedelta(days=30), description="The span the budget is counted over.")

"""Parts of a spec that say how hard a training looks for a good candidate."""

from typing import Self

from pydantic import Field, model_validator

from updraft.spec.base import Part


class Tuning(Part):
    """How long settings are searched for; whichever limit is reached first ends the search."""

    trials: int = Field(default=0, ge=0, le=1000, description="Settings tried per family; 0 keeps the declared ones.")
    minutes: int | None = Field(
        default=None, ge=1, le=1440, description="Time for all families together; makes the result depend on the clock."
    )

    @model_validator(mode="after")
    def _minutes_need_trials(self) -> Self:
        if self.minutes is not None and not self.trials:
            raise ValueError("`minutes` bounds the search of `trials`: say how many trials there may be")
        return self


class Regression(Part):
    """Settings of the linear model."""

    l2: float = Field(default=10.0, gt=0, description="L2 penalty on the weights; scikit-learn's `C` is its inverse.")

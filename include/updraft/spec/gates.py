"""What a candidate must show before it may become champion."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from updraft.spec.base import Part
from updraft.spec.checks import Calibration, GateName, Leakage, Mode, Operation, Robustness
from updraft.spec.fairness import Fairness
from updraft.spec.names import Name
from updraft.spec.slices import Slices


class Limit(Part):
    """An absolute limit on one metric."""

    min: float | None = Field(default=None, description="Smallest value that passes.")
    max: float | None = Field(default=None, description="Largest value that passes.")

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.min is None and self.max is None:
            raise ValueError("say `min`, `max` or both")
        return self


class Gates(Part):
    """What a candidate must show before it may become champion."""

    metric: Name = Field(
        default="auc",
        description="The metric of the comparisons. Binary: `auc`, `average_precision`, `brier`, `log_loss`; "
        "multiclass: `log_loss` (its default), `accuracy`, `macro_auc`, `macro_f1`; "
        "regression: `rmse` (its default), `mae`, `r2`.",
    )
    absolute: dict[Name, Limit] = Field(
        default={}, description="Limits on single metrics, on the holdout; binary: also `calibration_error`."
    )
    demand: Literal["better", "not_worse"] = Field(
        default="better",
        description="What a candidate must be on `metric` to replace the champion: better beyond chance, or not worse "
        "by more than `margin`, which equal models are and promotes them.",
    )
    margin: float = Field(default=0.01, ge=0, description="How much worse than the champion is still not worse.")
    confidence: Annotated[float, Field(gt=0.5, lt=1)] = Field(default=0.95, description="One-sided confidence.")
    min_rows: int = Field(default=2000, ge=1, description="Fewest held-out rows; below it the verdict is INSUFFICIENT.")
    slices: Slices = Field(default=Slices())
    fairness: Fairness = Field(default=Fairness())
    leakage: Leakage = Field(default=Leakage())
    calibration: Calibration | None = Field(default=None, description="Enforced when declared; else its defaults warn.")
    robustness: Robustness | None = Field(default=None, description="Enforced when declared; else its defaults warn.")
    operation: Operation | None = Field(default=None, description="Enforced when declared; else its defaults warn.")
    modes: dict[GateName, Mode] = Field(
        default={}, description="Per gate: its verdict decides, is only shown, or the gate is not asked."
    )
    dry_run: bool = Field(default=False, description="Examine and record everything, promote nothing.")

    def mode(self, gate: str) -> Mode:
        """How much a gate has to say: as declared; limits that nobody declared only warn, everything else decides."""
        limits = {"calibration": self.calibration, "robustness": self.robustness, "operation": self.operation}
        limits["weak_slices"] = None  # a search can have bad luck
        said: dict[str, Mode] = {str(name): mode for name, mode in self.modes.items()}
        return said.get(gate, "warn" if limits.get(gate, self) is None else "enforce")

"""Limits of the gates that look for what metrics do not show, and how much each gate has to say."""

from typing import Annotated, Literal

from pydantic import Field

from updraft.spec.base import Part

Mode = Literal["enforce", "warn", "off"]
GateName = Literal[
    "absolute",
    "baselines",
    "calibration",
    "champion",
    "fairness",
    "leakage",
    "operation",
    "robustness",
    "slices",
    "weak_slices",
]
Auc = Annotated[float, Field(gt=0.5, le=1)]
Times = Annotated[float, Field(ge=1)]


class Calibration(Part):
    """How far the probabilities may be from what comes true; of several classes that of each."""

    error: float = Field(default=0.05, gt=0, le=1, description="Largest expected calibration error.")
    slope: float = Field(
        default=0.3, gt=0, description="How far the slope of outcomes on log-odds may be from 1; below 1 is too sure."
    )
    intercept: float = Field(
        default=0.3, gt=0, description="How far all log-odds together may be off; 0.3 is 0.25 where 0.31 comes true."
    )


class Robustness(Part):
    """How many times its clean loss a candidate's loss may become when one feature arrives broken.

    The loss is the log loss; of a number the root mean squared error.
    """

    missing: Times = Field(default=2.0, description="The feature is missing in every row; only where it may be.")
    noise: Times = Field(default=1.5, description="A quarter of its standard deviation of noise on a number.")
    unseen: Times = Field(default=2.0, description="A level nobody has seen, in every row of a category.")
    units: Times = Field(default=5.0, description="A number in other units: a thousandfold, or 1.8 times and 32 more.")


class Leakage(Part):
    """What a single column may know about the label, and held-out rows may have in common with training rows."""

    alone: Auc = Field(
        default=0.95, description="Largest AUC of one feature alone; several classes: macro AUC; numbers: R² of ranks."
    )
    key: Auc = Field(default=0.8, description="Largest AUC of what an entity key looks like: its length, ends, order.")
    missing: Auc = Field(default=0.75, description="Largest AUC of whether a feature is missing.")
    shared: float = Field(
        default=0.01, ge=0, lt=1, description="Largest share of held-out rows or keys found in training as well."
    )


class Operation(Part):
    """What scoring the largest held-out partition may cost."""

    seconds: float = Field(default=60.0, gt=0, description="Longest time, best of three.")
    memory_mb: float = Field(default=2048.0, gt=0, description="Most memory on top, as Python allocates it.")
    size_mb: float = Field(default=100.0, gt=0, description="Largest size of the model's files.")

"""From where on what a champion says, decides and brings about counts as moved."""

from pydantic import Field

from updraft.spec.base import Part


class Outcomes(Part):
    """How far the champion's behaviour may be from what it was on its holdout."""

    score_distance: float | None = Field(
        default=None,
        gt=0,
        description="Distance of the scores from which it matters: Wasserstein, in standard deviations on the holdout; "
        "of predicted classes Jensen-Shannon, 0 to 1. Empty: 0.45, of classes 0.19, to which a stability index of 0.2 "
        "comes.",
    )
    decision_rate: float = Field(
        default=0.2, gt=0, le=1, description="Change of the share of rows acted on from which it matters."
    )
    calibration_intercept: float = Field(
        default=0.3,
        gt=0,
        description="Shift of all log-odds from which calibration matters; 0.3 is 0.25 where 0.31 comes true.",
    )
    calibration_slope: float = Field(
        default=0.3, gt=0, description="How far the slope of outcomes on log-odds may be from 1."
    )
    reason_shift: float = Field(
        default=0.25,
        gt=0,
        description="Change of a feature's mean contribution from which it matters, in standard deviations of the "
        "scores' log-odds on the holdout.",
    )
    slice_drop: float | None = Field(
        default=None,
        gt=0,
        description="Loss on a slice of `gates.slices` from which it matters, read as `monitor.max_drop` is; slices "
        "are only reported when empty.",
    )

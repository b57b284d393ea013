"""How far the features of a partition may lie from what the champion was trained on."""

from typing import Annotated, Literal

from pydantic import Field

from updraft.spec.base import Part

Share = Annotated[float, Field(ge=0, le=1)]


class Skew(Part):
    """How far features at scoring may lie outside what the champion was trained on; more is skew."""

    severity: Literal["warn", "block"] = Field(
        default="warn", description="`warn` says so in the summary of the task, `block` scores nothing of the run."
    )
    unseen: Share = Field(default=0.01, description="Share of a partition's rows with a category never trained on.")
    outside: Share = Field(default=0.01, description="Share with a number beyond the smallest and largest trained on.")
    missing: Share = Field(default=0.05, description="By how much the share of missing values may rise.")

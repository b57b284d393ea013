"""What a machine costs, as a spec says it."""

from typing import Annotated

from pydantic import Field

from updraft.spec.base import Part

Rate = Annotated[float, Field(ge=0)]


class Costs(Part):
    """Rates at which the work of tasks is charged; what none is given for is counted and not charged."""

    cpu_hour: Rate = Field(description="Price of an hour of one core.")
    gigabyte_hour: Rate = Field(default=0.0, description="Price of holding 10^9 bytes of memory for an hour.")
    currency: str = Field(default="EUR", pattern="^[A-Z]{3}$", description="Three letters, such as `EUR`.")

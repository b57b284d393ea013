"""How a candidate shows itself beside the champion, and a new champion beside the one before."""

from typing import Annotated

from pydantic import Field

from updraft.spec.base import Part


class Shadow(Part):
    """A candidate that passed its gates is scored beside the champion, and counts for nothing yet."""

    partitions: int = Field(ge=2, description="Partitions with mature labels that decide about it.")


class Canary(Part):
    """A candidate that passed its gates decides a share of the rows."""

    share: Annotated[float, Field(gt=0, le=0.5)] = Field(
        description="Share of the entities, by a stable hash, that it decides."
    )
    partitions: int = Field(ge=2, description="Partitions with mature labels that decide about it.")


class Probation(Part):
    """The champion before goes on being scored beside a new one, which is rolled back when it does worse."""

    partitions: int = Field(ge=2, description="Partitions with mature labels on which they are compared.")

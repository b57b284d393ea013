"""What every part of a spec has in common: frozen, strict, and no unknown key."""

from pydantic import BaseModel, ConfigDict


class Part(BaseModel):
    """A frozen part of a spec; an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

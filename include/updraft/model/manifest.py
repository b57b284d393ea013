"""What a model is, what it was trained on and what it demands; its digest is the model's name."""

import hashlib
from functools import cache
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field

from updraft.model import canonical

FORMAT = 1

Parameter = bool | int | float | str
_OF_A_KIND = ("kind", "classes", "act_on")


class Manifest(BaseModel):
    """The whole story of a model, without a clock: training again on the same data gives the same manifest."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    format: int = Field(default=FORMAT, description="Version of this format.")
    use_case: str
    kind: str = Field(default="binary", description="`binary`, `multiclass` or `regression`.")
    classes: tuple[str, ...] = Field(default=(), description="Classes in the order of the probabilities.")
    act_on: tuple[str, ...] = Field(default=(), description="Classes among them that are acted on.")
    family: str = Field(description="`lightgbm`, `logistic`, `ridge` or `trivial`.")
    features: tuple[tuple[str, str], ...] = Field(description="Name and type of each feature, in the model's order.")
    fingerprint: str = Field(description="Of the feature definition the model was trained on.")
    label: str = Field(description="The column that was learnt.")
    threshold: float = Field(description="Probability, or predicted number, from which the decision is to act.")
    as_of: str = Field(description="Partition the training stood at.")
    data: str = Field(description="SHA-256 of the labelled rows of the training and validation windows.")
    windows: dict[str, tuple[str, ...]] = Field(description="Partitions of every window, the older folds' too.")
    group: str | None = Field(default=None, description="Column whose values each belong to one window only.")
    parameters: dict[str, Parameter] = Field(description="Settings of the training, but not its threads.")
    seed: int
    code_version: str
    libraries: dict[str, str] = Field(description="Versions of what could change a prediction.")
    validation: dict[str, float] = Field(description="Metrics on the validation window.")
    notes: tuple[str, ...] = Field(default=(), description="What a reader of the metrics should know.")
    files: dict[str, str] = Field(default={}, description="SHA-256 of each file.")

    def dump(self) -> bytes:
        """Write as canonical JSON; what only other kinds say is left out, so that a binary model keeps its name."""
        unsaid = {name for name in _OF_A_KIND if getattr(self, name) == type(self).model_fields[name].default}
        return canonical.dump(self.model_dump(mode="json", exclude=unsaid))

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical bytes, in hexadecimal."""
        return sha256(self.dump())

    def with_files(self, files: dict[str, bytes]) -> Self:
        """The same manifest, naming these files."""
        return self.model_copy(update={"files": {name: sha256(content) for name, content in files.items()}})

    @classmethod
    def parse(cls, content: bytes) -> Self:
        """Read what `dump` wrote.

        :raises ValueError: If a field is unknown, missing or of another type.
        """
        return cls.model_validate_json(content)


def sha256(content: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def libraries() -> dict[str, Any]:
    """Versions of what could change a prediction."""
    import platform

    wanted = ("lightgbm", "numpy", "pandas", "scikit-learn")
    return {"python": platform.python_version(), **{name: _version(name) for name in wanted}}


@cache
def _version(name: str) -> str:
    from importlib.metadata import version

    return version(name)

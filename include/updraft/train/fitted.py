"""What fitting a family gives."""

from collections.abc import Mapping
from dataclasses import dataclass

from updraft.model.learner import Learner
from updraft.model.manifest import Parameter


@dataclass(frozen=True)
class Fitted:
    """A learner, the settings it came from, and what a reader of its metrics should know."""

    learner: Learner
    parameters: Mapping[str, Parameter]
    notes: tuple[str, ...] = ()

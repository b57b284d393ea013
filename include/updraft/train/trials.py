"""Settings that were tried, kept one by one: a training that was killed goes on where it stopped.

A trial is written once, when it is done. Two trainings of the same thing at once find each other's trials, and since a
trial is a function of those before it, they would have been the same.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from updraft.lake import Lake
from updraft.model.manifest import Parameter


@dataclass(frozen=True)
class Trial:
    """One set of settings, and how it did.

    :param number: From 0, which is what the spec declares.
    :param settings: By the spec's names.
    :param losses: Mean loss per fold, as far as it was tried.
    :param pruned: Whether it was given up before the last fold.
    :param seconds: What it took; part of the budget, and of nothing else.
    """

    number: int
    settings: Mapping[str, Parameter]
    losses: tuple[float, ...]
    pruned: bool
    seconds: float

    @property
    def loss(self) -> float:
        """Mean over the folds it was tried on."""
        return sum(self.losses) / len(self.losses)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values, without the clock."""
        return {key: value for key, value in asdict(self).items() if key != "seconds"}


@dataclass(frozen=True)
class Trials:
    """The trials of one training.

    :param lake: Where they are kept; without one, in memory.
    :param folder: Key below which they lie: it must name everything a trial depends on.
    """

    lake: Lake | None = None
    folder: str = "tuning"
    _memory: dict[str, bytes] = field(default_factory=dict)

    def done(self, family: str) -> list[Trial]:
        """Those of a family, in order, up to the first that is missing."""
        found: list[Trial] = []
        while (content := self._get(self._key(family, len(found)))) is not None:
            stored = json.loads(content)
            found.append(Trial(**{**stored, "losses": tuple(stored["losses"])}))
        return found

    def keep(self, family: str, trial: Trial) -> None:
        """Keep a trial, unless another training has."""
        key, content = self._key(family, trial.number), json.dumps(asdict(trial), sort_keys=True).encode()
        if self.lake is None:
            self._memory.setdefault(key, content)
        else:
            self.lake.create(key, content)

    def _get(self, key: str) -> bytes | None:
        if self.lake is None:
            return self._memory.get(key)
        try:
            return self.lake.get(key)
        except FileNotFoundError:
            return None

    def _key(self, family: str, number: int) -> str:
        return f"{self.folder}/{family}-{number:04}.json"

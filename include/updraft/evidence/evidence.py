"""What the gates may look at: the held-out rows, as each model scored them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from updraft.errors import ModelRejected
from updraft.evidence.hindsight import Hindsight
from updraft.evidence.metric import Array
from updraft.evidence.metrics import METRICS
from updraft.evidence.paired import Difference, compare
from updraft.spec.model import UseCase

if TYPE_CHECKING:
    import pandas as pd

    from updraft.model.model import Model


@dataclass(frozen=True, eq=False)
class Evidence:
    """The same held-out rows for every model; none of them was trained or calibrated on these rows.

    :param y: Outcomes, 0.0 or 1.0 (n,).
    :param blocks: Partition key of each row (n,).
    :param candidate: The candidate's probabilities (n,).
    :param family: The candidate's family, such as `lightgbm`.
    :param baselines: Probabilities of each baseline, by family (n,).
    :param champion: The champion's probabilities (n,); None when there is no champion.
    :param champion_digest: Which model the champion is.
    :param rows: The held-out rows themselves, in the order of `y`: entity, features, partition, event time.
    :param training: The rows the candidate was trained on, with their labels.
    :param model: The candidate itself.
    :param hindsight: Whether its feature rows can be computed again from what was known at their moment.
    :raises ValueError: If arrays differ in length or an outcome is neither 0 nor 1.
    :raises ModelRejected: If a model gave anything but probabilities.
    """

    y: Array
    blocks: NDArray[np.generic]
    candidate: Array
    family: str
    baselines: Mapping[str, Array] = field(default_factory=dict)
    champion: Array | None = None
    champion_digest: str | None = None
    rows: "pd.DataFrame | None" = None
    training: "pd.DataFrame | None" = None
    model: "Model | None" = None
    hindsight: Hindsight | None = None

    def __post_init__(self) -> None:
        if len(self.blocks) != len(self.y) or not np.isin(self.y, (0.0, 1.0)).all():
            raise ValueError("every held-out row needs an outcome of 0 or 1 and the key of its partition")
        for role, p in self.roles().items():
            if p.shape != self.y.shape:
                raise ValueError(f"{role} gave {p.shape} probabilities for {self.y.shape} outcomes")
            bad = int((~((p >= 0) & (p <= 1))).sum())
            if bad:
                raise ModelRejected(
                    f"The {role} gave {bad} of {len(p)} values that are not probabilities.",
                    next_step="look for infinite or missing features in the held-out partitions, then train again.",
                )

    def roles(self) -> dict[str, Array]:
        """Probabilities by role: `candidate`, `champion` when there is one, and each baseline."""
        champion = {} if self.champion is None else {"champion": self.champion}
        return {"candidate": self.candidate, **champion, **self.baselines}

    @property
    def rarer(self) -> int:
        """Rows of the rarer outcome."""
        return int(min((self.y == 1).sum(), (self.y == 0).sum()))

    def against(self, reference: Array, metric: str, case: UseCase) -> Difference:
        """Compare the candidate with another model on the same rows, at the level the use case declares."""
        return compare(
            self.y,
            self.candidate,
            reference,
            self.blocks,
            metric=METRICS[metric],
            confidence=case.gates.confidence,
            seed=case.model.seed,
        )

    def shortage(self, case: UseCase) -> str:
        """Say what there is too little of to judge a model at all; empty when there is enough."""
        if len(self.y) < case.gates.min_rows:
            return f"{len(self.y)} held-out rows, and `gates.min_rows` asks for {case.gates.min_rows}"
        if self.rarer < case.model.min_positives:
            asked = case.model.min_positives
            return f"{self.rarer} held-out rows of the rarer outcome, and `model.min_positives` asks for {asked}"
        return ""

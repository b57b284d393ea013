"""What the gates may look at: the held-out rows, as each model scored them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from updraft.errors import ModelRejected
from updraft.evidence.hindsight import Hindsight
from updraft.evidence.metric import Array, each_row
from updraft.evidence.metrics import METRICS
from updraft.evidence.paired import Difference, compare
from updraft.evidence.slices import Slice
from updraft.model.labels import acted_on
from updraft.spec.model import UseCase
from updraft.spec.prediction import ProblemKind

if TYPE_CHECKING:
    import pandas as pd

    from updraft.model.model import Model

_OUTCOME = {"binary": "an outcome of 0 or 1", "multiclass": "the position of a class", "regression": "a finite number"}


@dataclass(frozen=True, eq=False)
class Evidence:
    """The same held-out rows for every model; none of them was trained or calibrated on these rows.

    :param y: Outcomes (n,): 0.0 or 1.0, the position of a class, or a number.
    :param blocks: Partition key of each row (n,).
    :param candidate: The candidate's predictions: probabilities (n,), or of each class (n, k), or numbers (n,).
    :param family: The candidate's family, such as `lightgbm`.
    :param baselines: Predictions of each baseline, by family.
    :param champion: The champion's predictions; None when there is no champion.
    :param champion_digest: Which model the champion is.
    :param champion_threshold: Probability from which the champion acts; the use case's own when None.
    :param rows: The held-out rows themselves, in the order of `y`: entity, features, partition, event time.
    :param training: The rows the candidate was trained on, with their labels.
    :param model: The candidate itself.
    :param kind: Kind of problem.
    :param hindsight: Whether its feature rows can be computed again from what was known at their moment.
    :raises ValueError: If arrays differ in length or an outcome is not of its kind.
    :raises ModelRejected: If a model gave anything but probabilities, or finite numbers where those are predicted.
    """

    y: Array
    blocks: NDArray[np.generic]
    candidate: Array
    family: str
    baselines: Mapping[str, Array] = field(default_factory=dict)
    champion: Array | None = None
    champion_digest: str | None = None
    champion_threshold: float | None = None
    rows: "pd.DataFrame | None" = None
    training: "pd.DataFrame | None" = None
    model: "Model | None" = None
    kind: ProblemKind = "binary"
    hindsight: Hindsight | None = None

    def __post_init__(self) -> None:
        known = np.isfinite(self.y) if self.kind == "regression" else np.isin(self.y, range(self.classes))
        if len(self.blocks) != len(self.y) or not known.all():
            raise ValueError(f"every held-out row needs {_OUTCOME[self.kind]} and the key of its partition")
        shape = (len(self.y), self.classes) if self.kind == "multiclass" else self.y.shape
        for role, p in self.roles().items():
            if p.shape != shape:
                raise ValueError(f"{role} gave {p.shape} predictions for {self.y.shape} outcomes")
            fine = np.isfinite(p) if self.kind == "regression" else (p >= 0) & (p <= 1)
            bad = int((~each_row(fine)).sum())
            if bad:
                what = "finite numbers" if self.kind == "regression" else "probabilities"
                raise ModelRejected(
                    f"The {role} gave {bad} of {len(p)} values that are not {what}.",
                    next_step="look for infinite or missing features in the held-out partitions, then train again.",
                )

    def roles(self) -> dict[str, Array]:
        """Predictions by role: `candidate`, `champion` when there is one, and each baseline."""
        champion = {} if self.champion is None else {"champion": self.champion}
        return {"candidate": self.candidate, **champion, **self.baselines}

    def decisions(self, case: UseCase) -> dict[str, NDArray[np.bool_]]:
        """Whether each row is acted on, by the candidate and by the champion, each from its own threshold on.

        Of several classes the probabilities of those in `problem.act_on` count together.
        """
        own = case.problem.threshold
        said = {"candidate": (self.candidate, own if self.model is None else self.model.threshold)}
        if self.champion is not None:
            said["champion"] = (self.champion, own if self.champion_threshold is None else self.champion_threshold)
        on = acted_on(case)
        return {role: (p if p.ndim == 1 else p[:, on].sum(axis=1)) >= least for role, (p, least) in said.items()}

    def rival(self) -> tuple[str, Array] | None:
        """What the candidate would replace, by name: the champion, or the base rate while there is none."""
        if self.champion is not None:
            return "champion", self.champion
        return ("trivial", self.baselines["trivial"]) if "trivial" in self.baselines else None

    @property
    def classes(self) -> int:
        """Number of classes; 0 where a number is predicted."""
        return {"binary": 2, "multiclass": self.candidate.shape[-1], "regression": 0}[self.kind]

    @property
    def rarer(self) -> int:
        """Rows of the rarest outcome; all rows where a number is predicted."""
        return min((int((self.y == code).sum()) for code in range(self.classes)), default=len(self.y))

    def against(self, reference: Array, metric: str, case: UseCase, part: Slice | None = None) -> Difference:
        """Compare the candidate with another model on the same rows, at the level the use case declares.

        :param part: Compare on these rows only.
        """
        at = slice(None) if part is None else part.at
        return compare(
            self.y[at],
            self.candidate[at],
            reference[at],
            self.blocks[at],
            where="" if part is None else part.name,
            metric=METRICS[metric],
            confidence=case.gates.confidence,
            seed=case.model.seed,
        )

    def shortage(self, case: UseCase) -> str:
        """Say what there is too little of to judge a model at all; empty when there is enough."""
        if len(self.y) < case.gates.min_rows:
            return f"{len(self.y)} held-out rows, and `gates.min_rows` asks for {case.gates.min_rows}"
        if self.kind != "regression" and self.rarer < case.model.min_positives:
            asked = case.model.min_positives
            return f"{self.rarer} held-out rows of the rarer outcome, and `model.min_positives` asks for {asked}"
        return ""

"""What everybody holds: a model that turns feature rows into calibrated probabilities, with reasons."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from updraft.errors import ModelRejected
from updraft.model.calibration import Calibration
from updraft.model.encoder import Encoder
from updraft.model.golden import Golden
from updraft.model.learner import Learner
from updraft.model.manifest import Manifest

if TYPE_CHECKING:
    import pandas as pd

Reasons = list[tuple[str, float]]


@dataclass(frozen=True)
class Model:
    """A trained model: its parts, and the manifest that names their digests."""

    manifest: Manifest
    encoder: Encoder
    learner: Learner
    calibration: Calibration
    golden: Golden

    @classmethod
    def assemble(
        cls, draft: Manifest, encoder: Encoder, learner: Learner, calibration: Calibration, sample: "pd.DataFrame"
    ) -> Self:
        """Put a model together.

        :param draft: The manifest, still without files.
        :param sample: Feature rows to choose the golden rows from.
        """

        def predict(frame: "pd.DataFrame") -> NDArray[np.float64]:
            return calibration.probability(learner.log_odds(encoder.matrix(frame)))

        golden = Golden.choose(sample, encoder.features, predict)
        loose = cls(draft, encoder, learner, calibration, golden)
        return cls(draft.with_files(loose.files()), encoder, learner, calibration, golden)

    @property
    def family(self) -> str:
        """`lightgbm`, `logistic` or `trivial`."""
        return self.manifest.family

    @property
    def digest(self) -> str:
        """SHA-256 of the manifest: the model's name."""
        return self.manifest.digest

    @property
    def threshold(self) -> float:
        """Probability from which the decision is to act."""
        return self.manifest.threshold

    def predict(self, frame: "pd.DataFrame") -> NDArray[np.float64]:
        """Calibrated probability per row.

        :param frame: Feature rows; columns are found by name, and others are ignored.
        :raises ModelRejected: If features are missing, of another type, or of another feature definition.
        """
        return self.calibration.probability(self.learner.log_odds(self._matrix(frame)))

    def contributions(self, frame: "pd.DataFrame") -> NDArray[np.float64]:
        """Rows by features plus one: each feature's share of the calibrated log-odds, then the base.

        A row sums to the log-odds of `predict`. Columns are in the order of `manifest.features`.
        """
        return self.calibration.shares(self.learner.contributions(self._matrix(frame)))

    def reasons(self, frame: "pd.DataFrame", top: int = 3) -> list[Reasons]:
        """The features that moved each row furthest from the base, furthest first, with their log-odds.

        A feature that moved nothing is no reason, so a row may have fewer than `top`.
        """
        names = [name for name, _ in self.manifest.features]
        shares = self.contributions(frame)[:, :-1]
        furthest = np.argsort(-np.abs(shares), axis=1, kind="stable")[:, :top]
        moved = np.take_along_axis(shares, furthest, axis=1)
        pairs = zip(furthest.tolist(), moved.tolist(), strict=True)
        return [[(names[i], v) for i, v in zip(*row, strict=True) if v] for row in pairs]

    def unseen(self, frame: "pd.DataFrame") -> dict[str, float]:
        """Share of rows per category feature whose level the model does not know."""
        return self.encoder.unseen(frame)

    def files(self) -> dict[str, bytes]:
        """Everything but the manifest, by file name."""
        return {
            "encoder.json": self.encoder.dump(),
            self.learner.file: self.learner.dump(),
            "calibration.json": self.calibration.dump(),
            "golden.json": self.golden.dump(),
        }

    def _matrix(self, frame: "pd.DataFrame") -> NDArray[np.float64]:
        self._check_definition(frame)
        return self.encoder.matrix(frame)

    def _check_definition(self, frame: "pd.DataFrame") -> None:
        if "fingerprint" not in frame.columns:
            return
        strange = [str(found) for found in frame["fingerprint"].unique() if found != self.manifest.fingerprint]
        if strange:
            raise ModelRejected(
                f"The model was trained on feature definition {self.manifest.fingerprint[:12]}, "
                f"these rows are of {', '.join(other[:12] for other in strange[:3])}.",
                next_step="build the partition's features again with the model's definition, or train a new model.",
            )

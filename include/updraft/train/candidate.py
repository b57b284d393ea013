"""How a candidate comes to be: split, check, fit every family, calibrate, choose."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from updraft.dataset import Dataset
from updraft.model import calibration
from updraft.model.encoder import Encoder
from updraft.model.manifest import Manifest, libraries
from updraft.model.model import Model
from updraft.rows import digest
from updraft.spec.model import UseCase
from updraft.train import boosted, logistic, sufficiency, trivial
from updraft.train.choice import choose, losses
from updraft.train.fitted import Fitted
from updraft.train.measure import measure
from updraft.train.split import Split, split

if TYPE_CHECKING:
    import pandas as pd

BASELINES = ("logistic", "trivial")


@dataclass(frozen=True)
class Candidate:
    """A model that asks to be promoted, and those it should be better than.

    :param baselines: The other families by name; `logistic` and `trivial` are always trained.
    :param validation: Metrics on the validation window by family.
    :param reason: Why this family and no other.
    """

    model: Model
    baselines: dict[str, Model]
    split: Split
    validation: dict[str, dict[str, float]]
    reason: str


@dataclass(frozen=True)
class _Window:
    """One window as the learners take it."""

    rows: "pd.DataFrame"
    matrix: NDArray[np.float64]
    labels: NDArray[np.float64]


def train(case: UseCase, data: Dataset, *, code_version: str) -> Candidate:
    """Train every family of the spec and the baselines, and choose the simplest that does best on validation.

    The same rows calibrate a family and choose among families, so the validation metrics flatter them all a little.
    What the chosen one is worth is for the gates to find, on a holdout nothing here has looked at.

    :param code_version: Version of the code that trains, for the manifest.
    :raises TrainingRefused: If there are too few partitions, rows or rows of either class.
    """
    windows = split(data.rows["partition"], case.model)
    sufficiency.check(case, data.rows, windows)
    features = tuple((name, str(feature.type)) for name, feature in case.learned.items())
    encoder = Encoder.fit(windows.take(data.rows, "train"), features)
    training, validation = (_window(case, encoder, windows.take(data.rows, w)) for w in ("train", "validation"))
    draft = _draft(case, data, windows, encoder, code_version, _digest(training.rows, validation.rows))
    models: dict[str, Model] = {}
    for family in dict.fromkeys((*case.model.families, *BASELINES)):
        fitted = _fit(family, encoder, training, case)
        models[family] = _finish(fitted, encoder, validation, draft)
    chosen, reason = choose(
        {family: _losses(model, validation) for family, model in models.items()}, case.model.families
    )
    measured = {family: dict(model.manifest.validation) for family, model in models.items()}
    return Candidate(models.pop(chosen), models, windows, measured, reason)


def _digest(*rows: "pd.DataFrame") -> str:
    import pandas as pd
    import pyarrow as pa

    return digest(pa.Table.from_pandas(pd.concat(rows), preserve_index=False))


def _losses(model: Model, window: _Window) -> NDArray[np.float64]:
    return losses(window.labels, model.predict(window.rows), window.rows["partition"])


def _window(case: UseCase, encoder: Encoder, rows: "pd.DataFrame") -> _Window:
    return _Window(rows, encoder.matrix(rows), rows[case.label.column].to_numpy(dtype=np.float64))


def _fit(family: str, encoder: Encoder, training: _Window, case: UseCase) -> Fitted:
    match family:
        case "lightgbm":
            return boosted.fit(encoder, training.matrix, training.labels, case.model)
        case "logistic":
            return logistic.fit(encoder, training.matrix, training.labels)
        case "trivial":
            return trivial.fit(training.labels)
    raise ValueError(f"no way to fit {family!r}")


def _finish(fitted: Fitted, encoder: Encoder, validation: _Window, draft: Manifest) -> Model:
    raw = fitted.learner.log_odds(validation.matrix)
    calibrated = calibration.fit(raw, validation.labels)
    facts = {
        "family": fitted.learner.family,
        "parameters": dict(fitted.parameters),
        "validation": measure(validation.labels, calibrated.calibration.probability(raw)),
        "notes": (*fitted.notes, *calibrated.notes),
    }
    draft = draft.model_copy(update=facts)
    return Model.assemble(draft, encoder, fitted.learner, calibrated.calibration, validation.rows)


def _draft(case: UseCase, data: Dataset, windows: Split, encoder: Encoder, code_version: str, seen: str) -> Manifest:
    """Everything about a model that does not depend on its family."""
    return Manifest(
        use_case=case.name,
        family="trivial",
        features=encoder.features,
        fingerprint=data.fingerprint,
        label=case.label.column,
        threshold=case.problem.value.threshold,
        as_of=data.as_of,
        data=seen,
        windows=windows.windows(),
        parameters={},
        seed=case.model.seed,
        code_version=code_version,
        libraries=libraries(),
        validation={},
    )

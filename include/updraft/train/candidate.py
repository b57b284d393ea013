"""How a candidate comes to be: cut folds, select features, fit every family, calibrate, choose."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from updraft.dataset import Dataset
from updraft.model.encoder import Features
from updraft.model.manifest import Manifest, libraries
from updraft.model.model import Model
from updraft.rows import digest
from updraft.spec.model import UseCase
from updraft.train import boosted, calibrate, logistic, trivial
from updraft.train.calibrate import Chosen, Held
from updraft.train.choice import choose, losses
from updraft.train.fitted import Fitted
from updraft.train.fold import Fold, Window, cut
from updraft.train.measure import measure
from updraft.train.selection import Selection, select
from updraft.train.split import Split, boundaries
from updraft.train.worth import Worth, worth

if TYPE_CHECKING:
    import pandas as pd

BASELINES = ("logistic", "trivial")


@dataclass(frozen=True)
class Candidate:
    """A model that asks to be promoted, and those it should be better than.

    :param baselines: The other families by name; `logistic` and `trivial` are always trained.
    :param validation: Metrics on the validation window by family.
    :param reason: Why this family and no other.
    :param protocol: What was tried on which folds and what came of it, as plain JSON values.
    """

    model: Model
    baselines: dict[str, Model]
    split: Split
    validation: dict[str, dict[str, float]]
    reason: str
    protocol: Mapping[str, Any]


@dataclass(frozen=True)
class _Trained:
    """A family's model, and how its choices fared on rows they were not made on."""

    model: Model
    calibrated: Chosen
    worth: Worth

    @property
    def losses(self) -> NDArray[np.float64]:
        """Log loss per partition, of calibrated probabilities on the fold after."""
        probabilities, held = self.calibrated.tried
        return losses(held.labels, probabilities, held.partitions)


def train(case: UseCase, data: Dataset, *, code_version: str) -> Candidate:
    """Train every family of the spec and the baselines, and choose the simplest that does best on held-out folds.

    The same folds select, calibrate and choose, so the numbers flatter a little. What the chosen one is worth is for
    the gates to find, on a holdout nothing here has looked at.

    :param code_version: Version of the code that trains, for the manifest.
    :raises TrainingRefused: If there are too few partitions, rows or rows of either class.
    """
    splits, remarks = cut(case, data.rows)
    declared: Features = tuple((name, str(feature.type)) for name, feature in case.features.items())
    after = (*splits[1:], None)
    folds = [Fold.of(case, declared, data.rows, *pair) for pair in zip(splits, after, strict=True)]
    selection = _select(case, folds)
    folds = [fold.without(set(selection.dropped)) for fold in folds] if selection.dropped else folds
    draft = _draft(case, data, splits, folds[-1], code_version)
    draft = draft.model_copy(update={"notes": (*remarks, *selection.notes)})
    families = dict.fromkeys((*case.model.families, *BASELINES))
    made = {family: _finish(case, [_fit(family, fold, case) for fold in folds], folds, draft) for family in families}
    chosen, reason = choose({family: each.losses for family, each in made.items()}, case.model.families)
    models = {family: each.model for family, each in made.items()}
    measured = {family: dict(model.manifest.validation) for family, model in models.items()}
    protocol = _protocol(splits, selection, made, chosen)
    return Candidate(models.pop(chosen), models, splits[-1], measured, reason, protocol)


def _select(case: UseCase, folds: list[Fold]) -> Selection:
    if case.model.features == "all":
        return Selection()

    def fit(family: str, fold: Fold) -> Fitted:
        return _fit(family, fold, case)

    return select(folds, case.model.families, fit, _lose, seed=case.model.seed)


def _lose(fitted: Fitted, window: Window) -> NDArray[np.float64]:
    """Log loss per partition of uncalibrated probabilities."""
    raw = fitted.learner.log_odds(window.matrix)
    return losses(window.labels, np.exp(-np.logaddexp(0.0, -raw)), window.rows["partition"])


def _fit(family: str, fold: Fold, case: UseCase) -> Fitted:
    encoder, training = fold.encoder, fold.training
    match family:
        case "lightgbm":
            return boosted.fit(encoder, training.matrix, training.labels, case.model)
        case "logistic":
            return logistic.fit(encoder, training.matrix, training.labels, l2=case.model.logistic.l2)
        case "trivial":
            return trivial.fit(training.labels)
    raise ValueError(f"no way to fit {family!r}")


def _finish(case: UseCase, fitted: list[Fitted], folds: list[Fold], draft: Manifest) -> _Trained:
    """Calibrate the newest fold's learner, by the method that would have served the older ones."""
    pairs = zip(fitted, folds, strict=True)
    older = [(_held(one, fold.validation), _held(one, fold.later)) for one, fold in pairs if fold.later]
    newest, window = fitted[-1], folds[-1].validation
    held = _held(newest, window)
    calibrated = calibrate.choose(held, older)
    probabilities, after = calibrated.tried
    value = worth(case.problem.value, after.labels, probabilities, after.partitions)
    measured = measure(window.labels, calibrated.fitted.calibration.probability(held.log_odds))
    facts = {
        "family": newest.learner.family,
        "parameters": {**newest.parameters, "calibration": calibrated.method},
        "validation": {**measured, **value.numbers()},
        "notes": (*draft.notes, *newest.notes, *calibrated.fitted.notes, calibrated.reason, *value.notes),
    }
    draft = draft.model_copy(update=facts)
    model = Model.assemble(draft, folds[-1].encoder, newest.learner, calibrated.fitted.calibration, window.rows)
    return _Trained(model, calibrated, value)


def _held(fitted: Fitted, window: Window) -> Held:
    return Held(fitted.learner.log_odds(window.matrix), window.labels, window.rows["partition"].to_numpy(str))


def _protocol(
    splits: tuple[Split, ...], selection: Selection, made: Mapping[str, _Trained], chosen: str
) -> dict[str, Any]:
    return {
        "windows": {name: list(keys) for name, keys in boundaries(splits).items()},
        "features": selection.to_json(),
        "families": {family: each.calibrated.to_json() for family, each in made.items()},
        "value": made[chosen].worth.to_json(),
    }


def _digest(rows: "pd.DataFrame") -> str:
    import pyarrow as pa

    return digest(pa.Table.from_pandas(rows, preserve_index=False))


def _draft(case: UseCase, data: Dataset, splits: tuple[Split, ...], newest: Fold, code_version: str) -> Manifest:
    """Everything about a model that does not depend on its family."""
    import pandas as pd

    return Manifest(
        use_case=case.name,
        family="trivial",
        features=newest.encoder.features,
        fingerprint=data.fingerprint,
        label=case.label.column,
        threshold=case.problem.value.threshold,
        as_of=data.as_of,
        data=_digest(pd.concat([newest.training.rows, newest.validation.rows])),
        windows=boundaries(splits),
        group=case.model.group,
        parameters={},
        seed=case.model.seed,
        code_version=code_version,
        libraries=libraries(),
        validation={},
    )

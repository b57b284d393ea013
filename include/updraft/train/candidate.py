"""How a candidate comes to be: cut folds, select features, tune and fit every family, calibrate, choose."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from updraft.dataset import Dataset
from updraft.lake import Lake
from updraft.model import canonical, softmax
from updraft.model.encoder import Features
from updraft.model.manifest import Manifest, libraries, sha256
from updraft.model.model import Model
from updraft.rows import digest
from updraft.spec.model import Model as Settings
from updraft.spec.model import UseCase
from updraft.train import boosted, calibration_choice, logistic, ridge, trivial, weight
from updraft.train.calibration_choice import Chosen, Held
from updraft.train.choice import choose, losses
from updraft.train.fitted import Fitted
from updraft.train.fold import Fold, Window, cut
from updraft.train.measure import measure
from updraft.train.selection import Selection, select
from updraft.train.split import Split, boundaries
from updraft.train.task import Task
from updraft.train.trials import Trials
from updraft.train.tuning import Tuned, tune
from updraft.train.worth import Worth, worth

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Candidate:
    """A model that asks to be promoted, and those it should be better than.

    :param baselines: The other families by name; the linear and the trivial one are always trained.
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
    tuned: Tuned
    calibrated: Chosen
    worth: Worth | None

    @property
    def losses(self) -> NDArray[np.float64]:
        """Log loss, or squared error of a number, per partition, of what was calibrated on the fold after."""
        predicted, held = self.calibrated.tried
        return held.losses(predicted, self.model.manifest.kind)


def train(case: UseCase, data: Dataset, *, code_version: str, lake: Lake | None = None) -> Candidate:
    """Train every family of the spec and the baselines, and choose the simplest that does best on held-out folds.

    The same folds select, tune, calibrate and choose, so the numbers flatter a little. What the chosen one is worth is
    for the gates to find, on a holdout nothing here has looked at.

    :param code_version: Version of the code that trains, for the manifest.
    :param lake: Where settings that were tried are kept, so that the same training goes on from them.
    :raises TrainingRefused: If there are too few partitions, rows or rows of either class.
    """
    splits, remarks = cut(case, data.rows)
    declared: Features = tuple((name, str(feature.type)) for name, feature in case.learned.items())
    after = (*splits[1:], None)
    folds = [Fold.of(case, declared, data.rows, *pair) for pair in zip(splits, after, strict=True)]
    selection = _select(case, folds)
    folds = [fold.without(set(selection.dropped)) for fold in folds] if selection.dropped else folds
    draft = _draft(case, data, splits, folds[-1], code_version)
    draft = draft.model_copy(update={"notes": (*data.notes, *weight.notes(case), *remarks, *selection.notes)})
    trials = Trials(lake, _tuning_key(case, draft))
    families = dict.fromkeys((*case.model.families, *reversed(case.baselines)))
    made = {family: _finish(case, _tune(family, case, folds, trials), folds, draft) for family in families}
    of = "squared error" if case.problem.kind == "regression" else "log loss"
    chosen, reason = choose({family: each.losses for family, each in made.items()}, case.model.families, of)
    models = {family: each.model for family, each in made.items()}
    measured = {family: dict(model.manifest.validation) for family, model in models.items()}
    protocol = _protocol(splits, selection, made, chosen)
    return Candidate(models.pop(chosen), models, splits[-1], measured, reason, protocol)


def _select(case: UseCase, folds: list[Fold]) -> Selection:
    if case.model.features == "all":
        return Selection()

    def fit(family: str, fold: Fold) -> Fitted:
        return _fit(family, fold, case)

    return select(folds, case.model.families, fit, partial(_lose, case.problem.kind), seed=case.model.seed)


def _tune(family: str, case: UseCase, folds: list[Fold], trials: Trials) -> tuple[Tuned, list[Fitted]]:
    """Find a family's settings and fit every fold with them."""

    def fitted(settings: Settings, fold: Fold) -> Fitted:
        return _fit(family, fold, case.model_copy(update={"model": settings}))

    def loss(settings: Settings, number: int) -> float:
        return float(_lose(case.problem.kind, fitted(settings, folds[number]), folds[number].validation).mean())

    wanted = family in case.model.families
    tuned = tune(family, case.model, len(folds), loss, trials) if wanted else Tuned(case.model)
    return tuned, [fitted(tuned.settings, fold) for fold in folds]


def _tuning_key(case: UseCase, draft: Manifest) -> str:
    """Where trials are kept: under the digest of all they depend on."""
    included = {"families", "lightgbm", "logistic", "weight", "class_weight", "recency_half_life"}
    monotone = {name: feature.monotone for name, feature in case.learned.items() if feature.monotone}
    declared = {**case.model.model_dump(mode="json", include=included), "monotone": monotone}
    return f"tuning/{case.name}/{sha256(draft.dump() + canonical.dump(declared))}"


def _lose(kind: str, fitted: Fitted, window: Window) -> NDArray[np.float64]:
    """Loss per partition of what was not calibrated."""
    raw = fitted.learner.log_odds(window.matrix)
    match kind:
        case "binary":
            predicted = np.exp(-np.logaddexp(0.0, -raw))
        case "multiclass":
            predicted = np.exp(softmax.log_softmax(raw))
        case _:
            predicted = raw
    return losses(window.labels, predicted, window.rows["partition"], kind, window.weights)


def _fit(family: str, fold: Fold, case: UseCase) -> Fitted:
    encoder, training = fold.encoder, fold.training
    task = Task.of(case, training.rows, training.labels)
    match family:
        case "lightgbm":
            return boosted.fit(encoder, training.matrix, training.labels, case.model, task)
        case "logistic":
            return logistic.fit(encoder, training.matrix, training.labels, task, l2=case.model.logistic.l2)
        case "ridge":
            return ridge.fit(encoder, training.matrix, training.labels, task)
        case "trivial":
            return trivial.fit(training.labels, task)
    raise ValueError(f"no way to fit {family!r}")


def _finish(case: UseCase, found: tuple[Tuned, list[Fitted]], folds: list[Fold], draft: Manifest) -> _Trained:
    """Calibrate the newest fold's learner, by the method that would have served the older ones."""
    tuned, fitted = found
    pairs = zip(fitted, folds, strict=True)
    older = [(_held(one, fold.validation), _held(one, fold.later)) for one, fold in pairs if fold.later]
    newest, window = fitted[-1], folds[-1].validation
    held = _held(newest, window)
    calibrated = calibration_choice.choose(held, older, draft.kind)
    predicted, after = calibrated.tried
    binary = case.problem.value if draft.kind == "binary" else None
    value = None if binary is None else worth(binary, after.labels, predicted, after.partitions)
    measured = measure(window.labels, calibrated.fitted.calibration.probability(held.log_odds), draft.kind)
    facts = {
        "family": newest.learner.family,
        "parameters": {**newest.parameters, "calibration": calibrated.method, "trials": len(tuned.trials)},
        "validation": {**measured, **(value.numbers() if value else {})},
        "notes": (*draft.notes, *tuned.notes, *newest.notes, *calibrated.notes, *(value.notes if value else ())),
    }
    draft = draft.model_copy(update=facts)
    model = Model.assemble(draft, folds[-1].encoder, newest.learner, calibrated.fitted.calibration, window.rows)
    return _Trained(model, tuned, calibrated, value)


def _held(fitted: Fitted, window: Window) -> Held:
    keys = window.rows["partition"].to_numpy(str)
    return Held(fitted.learner.log_odds(window.matrix), window.labels, keys, window.weights)


def _protocol(
    splits: tuple[Split, ...], selection: Selection, made: Mapping[str, _Trained], chosen: str
) -> dict[str, Any]:
    return {
        "windows": {name: list(keys) for name, keys in boundaries(splits).items()},
        "features": selection.to_json(),
        "families": {
            family: {**each.calibrated.to_json(), "trials": [trial.to_json() for trial in each.tuned.trials]}
            for family, each in made.items()
        },
        "value": None if (value := made[chosen].worth) is None else value.to_json(),
    }


def _digest(rows: "pd.DataFrame", splits: tuple[Split, ...]) -> str:
    """Digest of every row that could count: older folds also try what lies in the newest one's gap."""
    import pyarrow as pa

    seen = {key for split in splits for key in (*split.train, *split.validation)}
    return digest(pa.Table.from_pandas(rows[rows["partition"].isin(seen)], preserve_index=False))


def _draft(case: UseCase, data: Dataset, splits: tuple[Split, ...], newest: Fold, code_version: str) -> Manifest:
    """Everything about a model that does not depend on its family."""
    return Manifest(
        use_case=case.name,
        kind=case.problem.kind,
        classes=case.label.classes,
        act_on=case.problem.act_on,
        family="trivial",
        features=newest.encoder.features,
        fingerprint=data.fingerprint,
        label=case.label.column,
        threshold=case.problem.threshold,
        as_of=data.as_of,
        data=_digest(data.rows, splits),
        windows=boundaries(splits),
        group=case.model.group,
        parameters={},
        seed=case.model.seed,
        code_version=code_version,
        libraries=libraries(),
        validation={},
    )

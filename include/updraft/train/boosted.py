"""Boosted trees: LightGBM, the same model on any number of threads."""

import numpy as np
from numpy.typing import NDArray

from updraft.errors import TrainingRefused
from updraft.model.boosted import Boosted
from updraft.model.encoder import Encoder
from updraft.model.manifest import Parameter
from updraft.spec.model import Model
from updraft.train.fitted import Fitted
from updraft.train.task import BINARY, Task


def fit(
    encoder: Encoder,
    matrix: NDArray[np.float64],
    labels: NDArray[np.float64],
    settings: Model,
    task: Task = BINARY,
) -> Fitted:
    """Fit trees, with the category codes as categories.

    :param matrix: Training rows as `encoder` gives them.
    :param labels: 0.0 or 1.0 per row, the position of its class, or a number.
    :raises TrainingRefused: If LightGBM refuses the settings.
    """
    import lightgbm
    from lightgbm.basic import LightGBMError

    chosen = parameters(settings, task)
    machine = {"num_threads": settings.threads, "verbosity": -1, **_constraints(encoder, task)}
    rows = lightgbm.Dataset(
        matrix,
        labels,
        weight=task.weights,
        feature_name=[name for name, _ in encoder.features],
        categorical_feature=list(encoder.categories),
        params={**chosen, **machine},
    )
    try:
        booster = lightgbm.train({**chosen, **machine}, rows, num_boost_round=settings.lightgbm.rounds)
    except LightGBMError as fault:
        raise TrainingRefused(
            f"LightGBM refused: {str(fault)[:300]}", next_step="mend `model.lightgbm` in spec.yaml."
        ) from fault
    said = {**chosen, **task.parameters(), "rounds": settings.lightgbm.rounds}
    return Fitted(Boosted.of(booster, settings.threads), said)


def _constraints(encoder: Encoder, task: Task) -> dict[str, list[int]]:
    """Which way each number may move the trees' sum; nothing when all are free."""
    if not task.monotone:
        return {}
    return {"monotone_constraints": [task.monotone.get(name, 0) for name, _ in encoder.features]}


def parameters(settings: Model, task: Task = BINARY) -> dict[str, Parameter]:
    """LightGBM's parameters for a spec, without those that may not change the model."""
    spec = settings.lightgbm
    return {
        "objective": task.kind,
        **({"num_class": task.classes} if task.kind == "multiclass" else {}),
        "learning_rate": spec.learning_rate,
        "num_leaves": spec.leaves,
        "min_data_in_leaf": spec.min_leaf_rows,
        "feature_fraction": spec.feature_share,
        "bagging_fraction": spec.row_share,
        "bagging_freq": int(spec.row_share < 1),
        "lambda_l2": spec.l2,
        "seed": settings.seed,
        "deterministic": True,
        "force_row_wise": True,
    }

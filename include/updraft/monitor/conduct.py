"""How a champion behaved on rows it had not learnt from: what later windows of its scores are held against.

Like the rest of the reference it holds no row: counts, means and standard errors.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from updraft.evidence.metric import Array, Codes
from updraft.evidence.metrics import METRICS
from updraft.evidence.sampling import block_codes, standard_error
from updraft.model.labels import acted_on, came_true
from updraft.model.model import Model
from updraft.monitor import parts
from updraft.monitor.histogram import Histogram, histogram
from updraft.monitor.level import Level, level, levels
from updraft.spec.model import UseCase
from updraft.spec.slices import Slices

if TYPE_CHECKING:
    from pandas import DataFrame

# Contributions cost a hundred times the score; the mean of this many is known to a twentieth of their spread.
EXPLAINED = 500
CELLS = 100


@dataclass(frozen=True)
class Conduct:
    """What a champion did on its holdout; levels that could not be told are left out.

    :param partitions: How many the holdout has.
    :param acted: Share of rows acted on.
    :param gap: What came true less what was predicted: see `updraft.monitor.measures.calibration`.
    :param scores: Histogram of its scores, in finer cells than drift needs, or of the classes it predicted.
    :param deviation: Standard deviation of its scores; 0 for classes.
    :param reasons: Mean contribution per feature.
    :param weight: Standard deviation of what a row's contributions add up to.
    :param slices: What is watched of performance, per slice that is followed.
    :param edges: Edges between parts of equal size, per feature that `gates.slices` cuts by their number.
    """

    partitions: int
    acted: Level | None
    scores: Histogram
    gap: Level | None = None
    deviation: float = 0.0
    reasons: Mapping[str, Level] = field(default_factory=dict)
    weight: float = 0.0
    slices: Mapping[str, Level | None] = field(default_factory=dict)
    edges: Mapping[str, tuple[float, ...]] = field(default_factory=dict)


def conduct(case: UseCase, model: Model, held: "DataFrame", watched: str) -> Conduct:
    """Say how a model behaves on its holdout.

    :param held: Held-out rows: `partition`, features and the label column.
    :param watched: Name of the metric that is watched.
    """
    predicted = model.predict(held)
    blocks, answers = held["partition"].to_numpy(), model.answers(predicted)
    numbers = predicted.ndim == 1
    frozen = parts.frozen(held, case.gates.slices)
    reasons, weight = explained(model, held, seed=case.model.seed)
    return Conduct(
        partitions=len(np.unique(blocks)),
        acted=level(model.acts(predicted), blocks),
        scores=histogram(answers, "number" if numbers else "category", bins=CELLS),
        gap=level(off(case, held[case.label.column].to_numpy(float), predicted), blocks),
        deviation=float(predicted.std()) if numbers and len(predicted) else 0.0,
        reasons=reasons,
        weight=weight,
        slices=_by_slice(case, frozen, held, predicted, watched),
        edges={name: cut for name, cut in frozen.cut.items() if not isinstance(cut, int)},
    )


def right(case: UseCase, predicted: Array) -> Array:
    """Probability that acting is right (n,); classes that are acted on count together, and a number is itself."""
    return predicted if predicted.ndim == 1 else np.asarray(predicted[:, acted_on(case)].sum(axis=1))


def off(case: UseCase, y: Array, predicted: Array) -> Array:
    """What came true less what was predicted, per row (n,)."""
    came = y if case.problem.kind == "regression" else came_true(case, y).astype(float)
    return np.asarray(came - right(case, predicted))


def explained(model: Model, rows: "DataFrame", *, seed: int) -> tuple[dict[str, Level], float]:
    """Mean contribution per feature, and the standard deviation of their sum, over at most `EXPLAINED` rows.

    The rows are drawn by `seed`: the same rows give the same answer.
    """
    if len(rows) < 2:
        return {}, 0.0
    drawn = np.random.default_rng(seed).choice(len(rows), min(len(rows), EXPLAINED), replace=False)
    some = rows.iloc[np.sort(drawn)]
    given = model.contributions(some)[:, :-1]
    names = [name for name, _ in model.manifest.features]
    found = levels(given, some["partition"].to_numpy())
    return dict(zip(names, found, strict=True)), float(given.sum(axis=1).std())


def measured(case: UseCase, name: str, y: Array, p: Array, codes: Codes) -> Level | None:
    """A metric with its standard error; `None` where it is undefined, or nobody knows how far chance moves it."""
    metric = METRICS[name]
    if metric.undefined(y, p):
        return None
    error = standard_error(metric, y, p, codes, confidence=case.gates.confidence, seed=case.model.seed)
    return None if math.isnan(error) else Level(metric(y, p), error, int(codes.max()) + 1, len(y))


def _by_slice(
    case: UseCase, frozen: Slices, held: "DataFrame", predicted: Array, watched: str
) -> dict[str, Level | None]:
    y, blocks = held[case.label.column].to_numpy(float), held["partition"].to_numpy()
    return {
        one.name: measured(case, watched, y[one.at], predicted[one.at], block_codes(blocks[one.at]))
        for one in parts.named(held, frozen, ())
        if one.rows
    }

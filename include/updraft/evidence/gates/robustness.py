"""What becomes of the candidate when one feature arrives broken? Its loss may grow within `gates.robustness`.

Held-out rows are broken one feature at a time and scored again: missing everywhere, noisy, of a level nobody has seen,
in other units. What a contract or the features stage would have stopped (a missing value where none may be) is left
out. The loss is compared with that of the same rows unbroken: the log loss, for a number the root mean squared error.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from updraft.evidence.evidence import Evidence
from updraft.evidence.metric import Array, Metric
from updraft.evidence.metrics import METRICS
from updraft.evidence.verdict import Verdict
from updraft.model.model import Model
from updraft.spec.checks import Robustness
from updraft.spec.features import Feature
from updraft.spec.model import UseCase

Values = NDArray[Any]
NOISE = 0.25
UNSEEN = "\x01 a level nobody has seen"
_LOSS = {"binary": "log_loss", "multiclass": "log_loss", "regression": "rmse"}
_PREDICTIONS = 120_000  # over all faults; each gets an equal share of them
_ROWS = (200, 2000)  # fewest and most rows per fault
_AT_ONCE = 50_000
_NAMED, _KEPT = 3, 100


@dataclass(frozen=True)
class Fault:
    """One way in which one feature arrives broken."""

    kind: str
    what: str
    feature: str
    values: Values

    @property
    def name(self) -> str:
        """As it stands among the numbers."""
        return f"{self.kind}.{self.feature}" + ("" if self.what == self.kind else f".{self.what}")


def gate(evidence: Evidence, case: UseCase) -> Verdict | None:
    """Demand that no single broken feature makes the loss grow beyond its limit; None without rows or a model."""
    if evidence.rows is None or evidence.model is None:
        return None
    if shortage := evidence.shortage(case):
        return Verdict("robustness", "INSUFFICIENT", shortage, {"rows": len(evidence.y), "rarer": evidence.rarer})
    places = _sample(len(evidence.y), case)
    y, columns = evidence.y[places], _columns(evidence, places)
    loss, unit = METRICS[_LOSS[evidence.kind]], (float(y.std()) or 1.0) if evidence.kind == "regression" else 1.0
    clean = loss(y, evidence.candidate[places])
    faults = list(_faults(case, columns, np.random.default_rng(case.model.seed)))
    broken = _losses(evidence.model, loss, columns, y, faults)
    grown = [(fault, found / max(clean, 1e-9 * unit)) for fault, found in broken]
    numbers = {"clean": clean, "rows": len(places)}
    return _verdict(grown, loss.name.replace("_", " "), numbers, case.gates.robustness or Robustness())


def _verdict(grown: list[tuple[Fault, float]], loss: str, measured: dict[str, float], limits: Robustness) -> Verdict:
    worst_first = sorted(grown, key=lambda found: (-found[1] / _limit(limits, found[0]), found[0].name))
    over = [(fault, times) for fault, times in worst_first if not times <= _limit(limits, fault)]
    numbers = {**measured, "faults": len(grown), "over": len(over)}
    numbers |= {fault.name: round(times, 4) for fault, times in worst_first[:_KEPT]}
    if over:
        named = "; ".join(
            f"{fault.feature} {fault.what}: {loss} grows {times:.3g} times, and may {_limit(limits, fault):g} times"
            for fault, times in over[:_NAMED]
        )
        rest = f"; and {len(over) - _NAMED} more" if len(over) > _NAMED else ""
        return Verdict("robustness", "FAIL", named + rest, numbers)
    reason = "there is nothing to break"
    if worst_first:
        fault, times = worst_first[0]
        reason = f"{len(grown)} broken features cost no more than they may; nearest {fault.feature} {fault.what}: "
        reason += f"{loss} grows {times:.3g} times"
    return Verdict("robustness", "PASS", reason, numbers)


def _limit(limits: Robustness, fault: Fault) -> float:
    return float(getattr(limits, fault.kind))


def _sample(rows: int, case: UseCase) -> NDArray[np.intp]:
    """Places of rows spread evenly over the held-out ones."""
    fewest, most = _ROWS
    each = int(np.clip(_PREDICTIONS // (4 * len(case.features)), fewest, most))
    return np.unique(np.linspace(0, rows - 1, min(rows, each)).astype(np.intp))


def _columns(evidence: Evidence, places: NDArray[np.intp]) -> dict[str, Values]:
    assert evidence.rows is not None and evidence.model is not None  # noqa: PT018 - for the type checker
    rows = evidence.rows.iloc[places]
    kinds = dict(evidence.model.manifest.features)
    return {n: rows[n].to_numpy(float if kind == "number" else object) for n, kind in kinds.items()}


def _faults(case: UseCase, columns: dict[str, Values], rng: np.random.Generator) -> Iterator[Fault]:
    for name, values in columns.items():
        declared = case.features.get(name, Feature(type="number"))
        if declared.nullable:
            nothing: Values = np.full(len(values), np.nan if declared.type == "number" else None, values.dtype)
            yield Fault("missing", "missing", name, nothing)
        if declared.type == "category":
            yield Fault("unseen", "unseen", name, np.full(len(values), UNSEEN, object))
            continue
        there = values[np.isfinite(values)]
        spread = float(there.std()) if len(there) else 0.0
        yield Fault("noise", "noise", name, values + rng.normal(0, 1, len(values)) * spread * NOISE)
        yield Fault("units", "x1000", name, values * 1000)
        yield Fault("units", "x1.8+32", name, values * 1.8 + 32)


def _losses(
    model: Model, loss: Metric, columns: dict[str, Values], y: Array, faults: Sequence[Fault]
) -> Iterator[tuple[Fault, float]]:
    """Score many faults in one go: asking the model a hundred times would cost more than the rows."""
    import pandas as pd

    rows, together = len(y), max(1, _AT_ONCE // len(y))
    for begin in range(0, len(faults), together):
        some = faults[begin : begin + together]
        stacked = {name: np.tile(values, len(some)) for name, values in columns.items()}
        for place, fault in enumerate(some):
            stacked[fault.feature][place * rows : (place + 1) * rows] = fault.values
        frame = pd.DataFrame({n: pd.Series(values, dtype=values.dtype) for n, values in stacked.items()})
        scores = model.predict(frame)
        losses = [loss(y, p) for p in scores.reshape(len(some), rows, *scores.shape[1:])]
        # What is no probability or number has no loss, and nothing is worse.
        yield from ((fault, np.inf if np.isnan(found) else found) for fault, found in zip(some, losses, strict=True))

"""Which calibration: none, Platt's or isotonic, by what each would have been worth in the past.

Every older fold's model is calibrated on its validation window and tried on the one after, as the candidate is
calibrated on the newest and then meets the future. Without an older fold, the newest window is halved. The score is
log loss, which is proper: it is best for probabilities that are true (Gneiting and Raftery, JASA 2007). A curve is
only tried where there are rows enough for one (Niculescu-Mizil and Caruana, ICML 2005, section 5).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from updraft.model import calibration
from updraft.model.calibration import Calibration
from updraft.model.model import Calibrated
from updraft.train.calibrate import calibrate
from updraft.train.choice import losses, ties

Array = NDArray[np.float64]
SIMPLEST_FIRST = ("none", "platt", "isotonic")
CURVE_ROWS = 1000
UNTRIED = "platt"  # two numbers from thousands of rows, where there is nothing to try it on


@dataclass(frozen=True)
class Held:
    """Raw log-odds of rows their model was not fitted to, their labels, partitions, and declared weights if any."""

    log_odds: Array
    labels: Array
    partitions: NDArray[np.str_]
    weights: Array | None = None

    def part(self, keys: Sequence[str]) -> "Held":
        """The rows of some partitions."""
        mine = np.isin(self.partitions, keys)
        weights = None if self.weights is None else self.weights[mine]
        return Held(self.log_odds[mine], self.labels[mine], self.partitions[mine], weights)

    def losses(self, predicted: Array, kind: str = "binary") -> Array:
        """Loss of predictions per partition."""
        return losses(self.labels, predicted, self.partitions, kind, self.weights)


@dataclass(frozen=True)
class Fitted:
    """A calibration, and in `notes` why it is the identity when it is."""

    calibration: Calibrated
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Chosen:
    """A calibration for the newest fold's model, and on what grounds.

    :param losses: Log loss per tried partition, by method; empty when there was nothing to try them on.
    :param tried: Probabilities the chosen method gave to rows it was not fitted to, with those rows.
    :param only: Whether there was no other method.
    """

    method: str
    fitted: Fitted
    losses: Mapping[str, Array]
    tried: tuple[Array, Held]
    only: bool = False

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the probabilities should know."""
        return (*self.fitted.notes, self.reason)

    @property
    def reason(self) -> str:
        """One sentence for the manifest."""
        if self.only:
            return f"calibration {self.method}: the one there is for this kind of problem"
        if not self.losses:
            return f"calibration {self.method}: there was no later partition to try others on"
        said = ", ".join(f"{method} {each.mean():.4f}" for method, each in self.losses.items())
        return f"calibration {self.method}: the simplest within one standard error; log loss a window later: {said}"

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {"calibration": self.method, "log_loss": {m: float(each.mean()) for m, each in self.losses.items()}}


def choose(newest: Held, older: Sequence[tuple[Held, Held]], kind: str = "binary") -> Chosen:
    """Take the simplest method within one standard error of the best, and fit it to the newest window.

    Several classes and numbers have one method each, so there is nothing to choose.

    :param older: By fold, what its model said in its validation window and in the one after.
    """
    if kind != "binary":
        return _only(newest, older, kind)
    steps = older or _halves(newest)
    enough = min(len(before.labels) for before, _ in (*steps, (newest, newest))) >= CURVE_ROWS
    probabilities = {method: _try(method, steps) for method in SIMPLEST_FIRST[: 3 if enough else 2]}
    after = _joined([later for _, later in steps]) if steps else newest
    found = {m: after.losses(p) for m, p in probabilities.items()} if steps else {}
    best = min(found, key=lambda method: float(found[method].mean()), default=UNTRIED)
    method = next((m for m in found if ties(found[m], found[best])), best)
    fitted = fit(method, newest)
    tried = probabilities[method] if steps else fitted.calibration.probability(after.log_odds)
    return Chosen(method, fitted, found, (tried, after))


def _only(newest: Held, older: Sequence[tuple[Held, Held]], kind: str) -> Chosen:
    """The method of a kind of problem, tried as any other."""

    def after(before: Held, later: Held) -> Array:
        return calibrate(kind, before.log_odds, before.labels, before.weights)[0].probability(later.log_odds)

    steps = older or [(newest, newest)]
    tried = np.concatenate([after(*step) for step in steps])
    method = "temperature" if kind == "multiclass" else "none"
    found, notes = calibrate(kind, newest.log_odds, newest.labels, newest.weights)
    return Chosen(method, Fitted(found, notes), {}, (tried, _joined([later for _, later in steps])), only=True)


def fit(method: str, held: Held) -> Fitted:
    """Fit one of the methods."""
    match method:
        case "none":
            return Fitted(Calibration())
        case "platt":
            found = calibration.fit(held.log_odds, held.labels, held.weights)
            return Fitted(found.calibration, found.notes)
        case "isotonic":
            found = calibration.isotonic(held.log_odds, held.labels, held.weights)
            return Fitted(found.calibration, found.notes)
    raise ValueError(f"no calibration {method!r}")


def _halves(window: Held) -> list[tuple[Held, Held]]:
    first, second = (window.part(keys.tolist()) for keys in np.array_split(np.unique(window.partitions), 2))
    both = all(0 < half.labels.sum() < len(half.labels) for half in (first, second))
    both = both and all(half.weights is None or half.weights.any() for half in (first, second))
    return [(first, second)] if both else []


def _try(method: str, steps: Sequence[tuple[Held, Held]]) -> Array:
    parts = [fit(method, before).calibration.probability(later.log_odds) for before, later in steps]
    return np.concatenate(parts) if parts else np.empty(0)


def _joined(parts: Sequence[Held]) -> Held:
    weights = [p.weights for p in parts if p.weights is not None]
    return Held(
        np.concatenate([p.log_odds for p in parts]),
        np.concatenate([p.labels for p in parts]),
        np.concatenate([p.partitions for p in parts]),
        np.concatenate(weights) if weights else None,
    )

"""What the champion's decisions were worth, by the spec's value matrix, and what deciding without it would have been.

Acting on nobody and acting on everybody are the peers: a champion that is worth less than both costs money. A wrong
number has a cost at any size, so there the peers have no meaning.
"""

from collections.abc import Iterator, Mapping
from math import isnan, nan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from updraft.evidence.interval import Interval, interval
from updraft.evidence.metric import Array
from updraft.evidence.paired import compare
from updraft.evidence.worth import worth
from updraft.model.labels import acted_on
from updraft.monitor.table import Measurement, Status
from updraft.monitor.truth import Truth, truth
from updraft.monitor.window import Window


def measure(window: Window) -> Iterator[Measurement]:
    """Value per row of what was decided, and of the peers, in the unit of the spec."""
    came = truth(window)
    if window.case.problem.kind == "regression":
        yield _row(window, came, "all", _worth(window, came, came.predicted()), "info")
        return
    peers = {name: _decided(came, np.full(came.n, acted)) for name, acted in (("nobody", False), ("everybody", True))}
    worths = {name: _worth(window, came, given) for name, given in peers.items()}
    yield _judged(window, came, peers, worths)
    for name, found in worths.items():
        yield _row(window, came, name, found, "info")


def _judged(window: Window, came: Truth, peers: Mapping[str, Array], worths: Mapping[str, Interval]) -> Measurement:
    """The champion's own worth; `drifted` when the better of the peers is worth more for sure."""
    decided = _decided(came, came.acted)
    done, best = _worth(window, came, decided), max(worths, key=lambda name: worths[name].value)
    how: dict[str, Any] = {"confidence": window.case.gates.confidence, "seed": window.case.model.seed}
    gain = compare(came.y, decided, peers[best], came.blocks, metric=worth(window.case), **how)
    told = f"acting on {best} is worth {gain.reference:.3g} a row; the champion adds {gain.difference:+.3g}"
    reason = f"{told} ({gain.low:.3g} to {gain.high:.3g})"
    if came.blind or isnan(gain.low):
        return _row(window, came, "all", done, "unknown", came.blind or gain.method)
    status: Status = "ok" if gain.difference >= 0 else "drifted" if gain.high < 0 else "unknown"
    return _row(window, came, "all", done, status, reason, limit=gain.reference)


def _worth(window: Window, came: Truth, given: Array) -> Interval:
    how: dict[str, Any] = {"confidence": window.case.gates.confidence, "seed": window.case.model.seed}
    return interval(worth(window.case), came.y, given, came.blocks, **how)


def _decided(came: Truth, acted: NDArray[np.bool_]) -> Array:
    """Decisions as the probabilities, of nought and one, that lead to them."""
    if not came.case.label.classes:
        return acted.astype(float)
    given = np.zeros((came.n, len(came.case.label.classes)))
    given[:, acted_on(came.case)[0]] = acted
    return given


def _row(
    window: Window, came: Truth, subject: str, found: Interval, status: Status, reason: str = "", *, limit: float = nan
) -> Measurement:
    said: Status = "unknown" if isnan(found.value) else status
    at = window.partition, "value_per_row", subject
    bounds: dict[str, Any] = {"low": found.low, "high": found.high, "limit": limit}
    return Measurement(*at, found.value, came.n, said, reason or found.why, **bounds)

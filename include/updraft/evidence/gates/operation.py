"""Can the candidate be run? Time and memory to score the largest held-out partition, size, golden predictions.

Seconds are the best of three, so that a machine busy with something else is not taken for a slow model. Memory is what
Python and NumPy allocate on top while it scores; what LightGBM allocates by itself is not in it. Both are reported as
measured beside the verdict, which depends on them only through the limits.
"""

import time
import tracemalloc
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from updraft.evidence.evidence import Evidence
from updraft.evidence.verdict import Verdict, merge
from updraft.model.golden import ABSOLUTE, RELATIVE
from updraft.model.model import Model
from updraft.spec.checks import Operation
from updraft.spec.model import UseCase

if TYPE_CHECKING:
    from pandas import DataFrame

_TIMES = 3
_MEGABYTE = 1 << 20


def gate(evidence: Evidence, case: UseCase) -> Verdict | None:
    """Demand that scoring stays within `gates.operation`, and that predictions can be had again; None without rows."""
    if evidence.rows is None or evidence.model is None or not len(evidence.rows):
        return None
    limits = case.gates.operation or Operation()
    keys, counts = np.unique(evidence.blocks, return_counts=True)
    largest = np.flatnonzero(evidence.blocks == keys[counts.argmax()])
    rows = evidence.rows.iloc[largest]
    size = sum(len(content) for content in evidence.model.files().values()) / _MEGABYTE
    measured = {"seconds": _seconds(evidence.model, rows), "memory_mb": _memory(evidence.model, rows)}
    weighed = [
        *_costs(measured, limits, len(rows)),
        _cost("size_mb", size, limits.size_mb, f"its files take {size:.3g} MB", {"size_mb": round(size, 3)}),
        *_again(evidence, evidence.model, rows, largest),
    ]
    said = merge("operation", weighed)
    reason = f"scores {len(rows)} rows within its limits and gives its predictions again"
    numbers = {**said.numbers, "partition_rows": len(rows)}
    return Verdict("operation", said.outcome, reason if said.outcome == "PASS" else said.reason, numbers,
                   measured=measured)  # fmt: skip


def _costs(measured: dict[str, float], limits: Operation, rows: int) -> Iterator[Verdict]:
    seconds, memory = measured["seconds"], measured["memory_mb"]
    yield _cost("seconds", seconds, limits.seconds, f"scoring {rows} rows takes {seconds:.3g} s", {})
    yield _cost("memory_mb", memory, limits.memory_mb, f"scoring {rows} rows takes {memory:.3g} MB of memory", {})


def _cost(name: str, value: float, limit: float, says: str, numbers: dict[str, float]) -> Verdict:
    if value <= limit:
        return Verdict("operation", "PASS", says, numbers)
    return Verdict("operation", "FAIL", f"{says}, and `gates.operation.{name}` allows {limit:g}", numbers)


def _again(evidence: Evidence, model: Model, rows: "DataFrame", places: "np.ndarray") -> Iterator[Verdict]:
    """Golden predictions, and the scores of a partition by itself: neither the moment nor the other rows may matter."""
    worst = model.golden.worst(model.manifest.features, model.predict)
    expected = evidence.candidate[places]
    apart = np.abs(model.predict(rows) - expected) / (ABSOLUTE + RELATIVE * np.abs(expected))
    for what, distance in (("golden predictions", worst), ("scores of a partition by itself", float(apart.max()))):
        if distance <= 1:
            yield Verdict("operation", "PASS", f"{what} come out again")
        else:
            yield Verdict("operation", "FAIL", f"{what} differ by {distance:.3g} times what rounding explains")


def _seconds(model: Model, rows: "DataFrame") -> float:
    def once() -> float:
        begun = time.perf_counter()
        model.predict(rows)
        return time.perf_counter() - begun

    return min(once() for _ in range(_TIMES))


def _memory(model: Model, rows: "DataFrame") -> float:
    others = tracemalloc.is_tracing()
    if not others:
        tracemalloc.start()
    try:
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        model.predict(rows)
        return max(0, tracemalloc.get_traced_memory()[1] - before) / _MEGABYTE
    finally:
        if not others:
            tracemalloc.stop()

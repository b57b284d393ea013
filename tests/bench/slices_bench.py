"""How long does it take to compare a candidate with its champion on 8,000 rows and six slices?

Beside it, in the same run, what people write by hand: a loop over the slices that draws the rows again a thousand
times and asks scikit-learn for both models' metric. That loop takes rows as independent and corrects for nothing; it
is here for its time alone. The other gates that part rows are timed too.

    python tests/bench/slices_bench.py
"""

import argparse
import runpy
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median

import numpy as np
import pandas as pd
from sklearn.metrics import log_loss, roc_auc_score

from updraft.evidence.evidence import Evidence
from updraft.evidence.gates import discover
from updraft.spec.model import UseCase

STUDY = runpy.run_path(str(Path(__file__).parent / "aa_study.py"))
LEVELS = ("AA", "B6", "DL", "EV", "UA", "US")
FEATURES = {"carrier": {"type": "category"}, "hour": {"type": "number"}}


def world(rows: int, days: int, metric: str, seed: int) -> tuple[UseCase, Evidence]:
    """A use case with six slices, and a candidate and a champion on that many rows."""
    rng = np.random.default_rng(seed)
    drawn = STUDY["pair"](rng, days=days, rows=rows / days, noise=0.2)
    frame = pd.DataFrame({
        "carrier": rng.choice(LEVELS, len(drawn.y)),
        "hour": rng.integers(0, 24, len(drawn.y)).astype(float),
        "signal": rng.normal(0, 1, len(drawn.y)),
    })  # fmt: skip
    parted = {"slices": {"by": ["carrier"]}, "fairness": {"by": ["carrier"], "equalized_odds": 0.2}}
    case = STUDY["use_case"](metric, FEATURES, min_rows=500, **parted)
    return case, replace(drawn, rows=frame, baselines={"trivial": np.full(len(drawn.y), drawn.y.mean())})


def by_hand(evidence: Evidence, metric: str, repeats: int) -> dict[str, tuple[float, float]]:
    """Bounds per slice from rows drawn again and again."""
    ask = {"auc": roc_auc_score, "log_loss": log_loss}[metric]
    rng, bounds = np.random.default_rng(1), {}
    for level in LEVELS:
        inside = np.flatnonzero(evidence.rows["carrier"] == level)
        found = []
        for _ in range(repeats):
            at = rng.choice(inside, len(inside))
            found.append(ask(evidence.y[at], evidence.candidate[at]) - ask(evidence.y[at], evidence.champion[at]))
        low, high = np.quantile(found, [0.05, 0.95])
        bounds[level] = (float(low), float(high))
    return bounds


def seconds(call: Callable[[], object], times: int) -> float:
    """Median time of a call."""
    took = []
    for _ in range(times):
        begun = time.perf_counter()
        call()
        took.append(time.perf_counter() - begun)
    return median(took)


def main() -> None:
    """Time the gates and the loop, and print a line each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=8000)
    parser.add_argument("--days", type=int, default=28)
    parser.add_argument("--metric", choices=["auc", "log_loss"], default="auc")
    parser.add_argument("--repeats", type=int, default=1000, help="draws of the loop by hand")
    asked = parser.parse_args()
    case, evidence = world(asked.rows, asked.days, asked.metric, seed=1)
    gates = discover()
    print(f"{len(evidence.y)} rows of {asked.days} days, {len(LEVELS)} slices, {asked.metric}")
    for name in ("slices", "weak_slices", "fairness", "champion"):
        first = seconds(lambda name=name: gates[name](evidence, case), 1)
        again = seconds(lambda name=name: gates[name](evidence, case), 5)
        print(f"gate {name:12} {gates[name](evidence, case).outcome:13} {again:8.3f} s   (first time {first:.3f} s)")
    took = seconds(lambda: by_hand(evidence, asked.metric, asked.repeats), 1)
    print(f"by hand: {asked.repeats} draws per slice{'':14} {took:8.3f} s")


if __name__ == "__main__":
    main()

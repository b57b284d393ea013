"""How often does the interval of a difference hold the truth?

Two models of known quality score held-out days, drawn as in `aa_study.py`; the truth is their difference on very many
days. Printed is the share of two-sided 95 % intervals that hold it, for all rows and for a slice of a sixth of them in
which the candidate is worse. The bounds of the gates are one-sided; these are theirs at 97.5 %, both ways.

    python tests/bench/coverage_study.py --repeats 2000
"""

import argparse
import runpy
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from updraft.evidence.evidence import Evidence
from updraft.evidence.metrics import METRICS
from updraft.evidence.paired import compare

STUDY = runpy.run_path(str(Path(__file__).parent / "aa_study.py"))
NAMES = ("auc", "brier", "log_loss")
NOISE = 0.2
SPOILT = 0.8
TRUTH_DAYS = 6000


def drawn(rng: np.random.Generator, *, days: int, rows: int) -> tuple[Evidence, np.ndarray]:
    """Draw held-out days on which the candidate is better as a whole, and which rows are of the slice that is worse."""
    found = STUDY["pair"](rng, days=days, rows=rows, noise=NOISE)
    inside = rng.random(len(found.y)) < 1 / 6
    return replace(found, candidate=spoil(found.candidate, inside, rng)), inside


def spoil(p: np.ndarray, where: np.ndarray, rng: np.random.Generator, noise: float = SPOILT) -> np.ndarray:
    """Make probabilities worse on some rows by noise in their log-odds."""
    log_odds = np.log(p / (1 - p)) + np.where(where, rng.normal(0, noise, len(p)), 0.0)
    return 1 / (1 + np.exp(-log_odds))


def differences(evidence: Evidence, inside: np.ndarray, seed: int) -> dict[str, object]:
    """Compare on all rows and on the slice, metric by metric."""
    parts = {"": np.full(len(inside), True), " in a slice": inside}
    return {
        f"{name}{part}": compare(
            evidence.y[at], evidence.candidate[at], evidence.champion[at], evidence.blocks[at],
            metric=METRICS[name], confidence=0.975, seed=seed,
        )
        for name in NAMES
        for part, at in parts.items()
    }  # fmt: skip


def truth(rows: int, seed: int, days: int = TRUTH_DAYS) -> dict[str, float]:
    """Differences on so many days that chance moves them by a small part of an interval."""
    rng = np.random.default_rng([seed, 10**6])
    evidence, inside = drawn(rng, days=days, rows=rows)
    found = {}
    for name in NAMES:
        metric = METRICS[name]
        sign = 1 if metric.higher_is_better else -1
        for part, at in {"": slice(None), " in a slice": inside}.items():
            values = (metric(evidence.y[at], p[at]) for p in (evidence.candidate, evidence.champion))
            found[f"{name}{part}"] = sign * float(np.subtract(*values))
    return found


def study(repeats: int, *, days: int, rows: int, seed: int, true: dict[str, float] | None = None) -> dict[str, float]:
    """Share of intervals that hold the truth, by what was compared."""
    true = true or truth(rows, seed)
    held = dict.fromkeys(true, 0)
    for number in range(repeats):
        found = differences(*drawn(np.random.default_rng([seed, number]), days=days, rows=rows), seed=1)
        for name, difference in found.items():
            held[name] += difference.low <= true[name] <= difference.high
    return {name: count / repeats for name, count in held.items()}


def main() -> None:
    """Run the study and print one line per number of days."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=2000)
    parser.add_argument("--rows", type=int, default=300, help="median rows per day")
    parser.add_argument("--days", type=int, nargs="+", default=[7, 14, 28])
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    true = truth(asked.rows, asked.seed)
    print(f"{asked.repeats} repeats of about {asked.rows} rows a day; share of 95 % intervals that hold the truth")
    print(f"{'days':>5}", *(f"{name:>20}" for name in true))
    print(f"{'truth':>5}", *(f"{value:20.4f}" for value in true.values()))
    for days in asked.days:
        begun = time.perf_counter()
        found = study(asked.repeats, days=days, rows=asked.rows, seed=asked.seed, true=true)
        print(f"{days:5}", *(f"{share:20.1%}" for share in found.values()), f" {time.perf_counter() - begun:.0f} s")


if __name__ == "__main__":
    main()

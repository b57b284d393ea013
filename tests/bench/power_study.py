"""How large must a difference be for the champion gate to see it, and does it see what it says it could?

A challenger whose noise is smaller (or larger) than the champion's truly is better (or worse); by how much is measured
on very many days. Printed per challenger: that difference, how often the gate finds the challenger better on the
metric, what it says in all, and `sees`: the difference that the gate itself says its rows would show four times in
five. Where a challenger is that much better, the share found better should be about 80 %.

    python tests/bench/power_study.py --pairs 500
"""

import argparse
import runpy
import time
from collections import Counter
from pathlib import Path

import numpy as np

from updraft.evidence.gates import champion
from updraft.evidence.judgement import detectable, is_better, margin_of
from updraft.evidence.metrics import METRICS
from updraft.spec.model import UseCase

STUDY = runpy.run_path(str(Path(__file__).parent / "aa_study.py"))
NOISES = (0.0, 0.25, 0.35, 0.42, 0.5, 0.6, 0.7, 0.9, 1.2)
TRUTH_DAYS = 4000
DAY_NOISE = 0.15


def effect(metric: str, noise: float, *, rows: int, seed: int, days: int = TRUTH_DAYS) -> float:
    """How much better a challenger truly is; positive is better."""
    evidence = STUDY["pair"](np.random.default_rng([seed, 7]), days=days, rows=rows, noise=noise, day_noise=DAY_NOISE)
    values = [METRICS[metric](evidence.y, p) for p in (evidence.candidate, evidence.champion)]
    return (values[0] - values[1]) * (1 if METRICS[metric].higher_is_better else -1)


def study(case: UseCase, pairs: int, *, noise: float, days: int, rows: int, seed: int) -> tuple[Counter[str], float]:
    """Count what the gate says over seeded pairs, and `better` on the metric alone; with the median detectable."""
    counted, seen = Counter[str](), []
    for number in range(pairs):
        rng = np.random.default_rng([seed, number])
        evidence = STUDY["pair"](rng, days=days, rows=rows, noise=noise, day_noise=DAY_NOISE)
        found = evidence.against(evidence.champion, case.gates.metric, case)
        verdict = is_better("champion", found, than="champion", margin=margin_of(case.gates, found))
        counted["better"] += verdict.outcome == "PASS"
        counted[champion.gate(evidence, case).outcome] += 1
        seen.append(detectable(found))
    return counted, float(np.median(seen))


def main() -> None:
    """Run the study and print a line per challenger."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=500)
    parser.add_argument("--days", type=int, default=28)
    parser.add_argument("--rows", type=int, default=300, help="median rows per day")
    parser.add_argument("--metrics", nargs="+", default=["auc", "log_loss"])
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    print(f"{asked.pairs} pairs per line, {asked.days} days of about {asked.rows} rows")
    heads = f"{'truth':>9} {'better':>8} {'gate: PASS':>11} {'FAIL':>7} {'INSUFF.':>8} {'sees':>9}"
    print(f"{'metric':9} {'noise':>6} {heads}")
    for metric in asked.metrics:
        for noise in NOISES:
            begun, case = time.perf_counter(), STUDY["use_case"](metric)
            true = effect(metric, noise, rows=asked.rows, seed=asked.seed)
            drawn = {"noise": noise, "days": asked.days, "rows": asked.rows, "seed": asked.seed}
            found, sees = study(case, asked.pairs, **drawn)
            said = {name: found[name] / asked.pairs for name in ("better", "PASS", "FAIL", "INSUFFICIENT")}
            shares = f"{said['better']:8.1%} {said['PASS']:11.1%} {said['FAIL']:7.1%} {said['INSUFFICIENT']:8.1%}"
            took = f"{time.perf_counter() - begun:.0f} s"
            print(f"{metric:9} {noise:6.2f} {true:+9.4f} {shares} {sees:9.4f}  {took}", flush=True)


if __name__ == "__main__":
    main()

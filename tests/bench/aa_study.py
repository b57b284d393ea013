"""How often does one of two equal models replace the other?

Pairs of models with one signal and independent noise score the same held-out days. Days differ in how often the
outcome comes true, and each model is off by an amount of its own on each day, as real models are: rows of a day are
not independent. Printed is the share of pairs in which the challenger is promoted: by the rule "at least as good on
the metric", by a paired test that takes rows as independent (DeLong for AUC), and by Updraft's champion gate; then the
same for challengers that truly are better, since a gate that promotes nobody is not a good gate.

    python tests/bench/aa_study.py --pairs 1000
"""

import argparse
import time
from collections import Counter

import numpy as np

from updraft.evidence.evidence import Evidence
from updraft.evidence.gates import champion
from updraft.evidence.metrics import METRICS
from updraft.evidence.sampling import critical
from updraft.spec.model import UseCase

NOISE = 0.5


def use_case(metric: str = "auc", features: dict[str, object] | None = None, **gates: object) -> UseCase:
    """Smallest use case that has gates, with features to part its rows by."""
    return UseCase.model_validate(
        {
            "version": 1,
            "name": "study",
            "owner": {"name": "Study", "email": "study@example.com"},
            "problem": {
                "goal": "Tell which of two models is better.",
                "lead_time": "1d",
                "decision": "Promote.",
                "value": {"true_positive": 3.0, "false_positive": -1.0, "false_negative": 0.0},
            },
            "partitions": {"first": "2013-01-01"},
            "entity": ["id"],
            "sources": {
                "rows": {
                    "type": "files",
                    "path": "{partition}.csv",
                    "key": ["id"],
                    "event_time": "at",
                    "known_at": {"landing": True},
                    "columns": {"id": {"type": "string"}, "at": {"type": "timestamp"}},
                }
            },
            "label": {"column": "late", "maturity": "1d"},
            "features": {"signal": {"type": "number"}, **(features or {})},
            "gates": {"metric": metric, **gates},
        }
    )


def pair(rng: np.random.Generator, *, days: int, rows: int, noise: float = NOISE, day_noise: float = 0.3) -> Evidence:
    """Draw held-out days scored by a champion and by a challenger whose noise per row is `noise`.

    :param days: Partitions held out.
    :param rows: Median rows per day; days differ in size.
    :param day_noise: How far each model is off on each day, in log-odds; the two are off independently.
    """
    sizes = (rows * rng.lognormal(0, 0.3, days)).astype(int) + 2
    day = np.repeat(np.arange(days), sizes)
    base = rng.normal(-1.3, 0.4, days)[day]
    signal = rng.normal(0, 1, len(day))
    y = (rng.random(len(day)) < _probability(base + signal)).astype(np.float64)

    def scores(spread: float) -> np.ndarray:
        off = rng.normal(0, day_noise, days)[day] + rng.normal(0, spread, len(day))
        return _probability(-1.3 + (base + 1.3) / 2 + signal + off)

    return Evidence(y=y, blocks=day, candidate=scores(noise), family="lightgbm", champion=scores(NOISE))


def study(case: UseCase, pairs: int, *, noise: float, days: int, rows: int, seed: int) -> Counter[str]:
    """Count over seeded pairs: promotions by the rules `naive` and `rows`, and the gate's outcomes."""
    counted, metric = Counter[str](), METRICS[case.gates.metric]
    sign = 1 if metric.higher_is_better else -1
    for number in range(pairs):
        evidence = pair(np.random.default_rng([seed, number]), days=days, rows=rows, noise=noise)
        new, old = (metric(evidence.y, p) for p in (evidence.candidate, evidence.champion))
        reach = critical(case.gates.confidence, 1) * metric.row_error(evidence.y, evidence.candidate, evidence.champion)
        counted["naive"] += sign * (new - old) >= 0
        counted["rows"] += sign * (new - old) > reach
        counted[champion.gate(evidence, case).outcome] += 1
    return counted


def _probability(log_odds: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-log_odds))


def main() -> None:
    """Run the study and print one line per metric and kind of challenger."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=1000)
    parser.add_argument("--days", type=int, default=14)
    parser.add_argument("--rows", type=int, default=300, help="median rows per day")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    level = 1 - use_case().gates.confidence
    print(f"{asked.pairs} pairs, {asked.days} days of about {asked.rows} rows; declared level {level:.1%}")
    rules = {
        "naive": "new >= old",
        "rows": "rows alone",
        "PASS": "gate: PASS",
        "FAIL": "FAIL",
        "INSUFFICIENT": "INSUFF.",
    }
    print(f"{'metric':9} {'challenger':11}", *(f"{rule:>11}" for rule in rules.values()))
    for metric in ("auc", "brier", "log_loss"):
        for challenger, noise in (("equal", NOISE), ("better", 0.0)):
            begun = time.perf_counter()
            drawn = {"noise": noise, "days": asked.days, "rows": asked.rows, "seed": asked.seed}
            found = study(use_case(metric), asked.pairs, **drawn)
            shares = (f"{found[rule] / asked.pairs:11.1%}" for rule in rules)
            print(f"{metric:9} {challenger:11}", *shares, f"  {time.perf_counter() - begun:.0f} s", flush=True)


if __name__ == "__main__":
    main()

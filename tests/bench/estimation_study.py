"""How near do estimates come to what came true, and how often do their bounds hold it?

A champion that was right about the world of its training scores days of rows; labels come `DELAY` days late. At each
look the metric of the last week is estimated from the labels of the newest week that has them, and held against what
came true of the same rows later. Beside it stands the naive guess that the holdout's value stays. Each day has a luck
of its own (`LUCK`, in log-odds), so that rows of a day are not independent. Bounds hold with 95 % on either side, so
90 % of both together is what they promise.

    python tests/bench/estimation_study.py --seeds 40

Scenarios: `calm`; `mix`, rows become harder to tell apart and nothing else changes; `level`, the rate of all rows
creeps; `turned`, the world turns half way through, which no estimate can know before its labels do. `distrusted` is the
share of seeds in which the record made estimates unknown at some look, for a drop of 0.03 (RMSE: of 3 %).
"""

import argparse
import time

import numpy as np

from updraft.evidence.metrics import METRICS
from updraft.monitor.estimation import Rows, estimate
from updraft.monitor.estimation_record import Record
from updraft.monitor.performance import WATCHED
from updraft.spec.model import UseCase

SCENARIOS = ("calm", "mix", "level", "turned")
WEEK, DELAY, DAYS, LUCK, DROP = 7, 3, 63, 0.15, 0.03


def use_case(kind: str) -> UseCase:
    """Return a use case of a kind; only its kind, classes and confidence matter here."""
    source = {
        "type": "files", "path": "{partition}.csv", "key": ["id"], "event_time": "at", "known_at": {"delay": "1d"},
        "columns": {"id": {"type": "integer"}, "at": {"type": "timestamp"}},
    }  # fmt: skip
    value = {"true_positive": 3, "false_positive": -1, "false_negative": 0}
    problem = {"goal": "Warn of late ones.", "lead_time": "6h", "decision": "warn", "kind": kind}
    problem |= {"cost": {"over": 1, "under": 2, "act_from": 3}} if kind == "regression" else {"value": value}
    problem |= {"act_on": ["b"]} if kind == "multiclass" else {}
    label = {"column": "y", "maturity": "1d"} | ({"classes": ["a", "b", "c"]} if kind == "multiclass" else {})
    spec = {
        "version": 1, "name": "study", "owner": {"name": "ops", "email": "ops@example.org"}, "problem": problem,
        "partitions": {"first": "2013-01-01"}, "entity": ["id"], "sources": {"rows": source}, "label": label,
        "features": {"x": {"type": "number"}}, "model": {"threads": 1},
    }  # fmt: skip
    return UseCase.model_validate(spec)


def world(kind: str, scenario: str, rng: np.random.Generator, *, rows: int, days: int = DAYS) -> Rows:
    """Draw all days: what the champion said of each row, and what came true."""
    n, day = rows * days, np.repeat(np.arange(days), rows)
    late = np.clip((day - days / 3) / (days / 3), 0, 1)
    x = rng.normal(size=(n, 2)) * (1 - 0.6 * late * (scenario == "mix"))[:, None]
    turned = (day >= days // 2) & (scenario == "turned")
    moved = late * 0.8 * (scenario == "level") + rng.normal(0, LUCK, days)[day]
    signal = 1.5 * x[:, 0] + 0.5 * x[:, 1]
    truth = np.where(turned, -0.3 * x[:, 0] + 0.5 * x[:, 1], signal) + moved
    if kind == "regression":
        size = np.exp(0.6 * x[:, 1]) * (1 + 1.5 * late * (scenario == "mix"))
        return Rows(signal, day, np.column_stack([signal, x]), truth + size * rng.normal(size=n))
    if kind == "binary":
        p, q = (1 / (1 + np.exp(1 - each)) for each in (signal, truth))
        return Rows(p, day, x, (rng.random(n) < q).astype(float))
    p, q = (_three(each, x[:, 1]) for each in (signal, truth))
    return Rows(p, day, x, (rng.random((n, 1)) > q.cumsum(axis=1)[:, :-1]).sum(axis=1).astype(float))


def _three(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    scores = np.exp(np.column_stack([np.zeros(len(one)), one, other - one / 2]))
    return scores / scores.sum(axis=1, keepdims=True)


def part(rows: Rows, first: int, last: int, *, labels: bool = True) -> Rows:
    """Rows of the days from `first` to before `last`."""
    at = (rows.blocks >= first) & (rows.blocks < last)
    return Rows(rows.p[at], rows.blocks[at], rows.x[at], rows.y[at] if labels else None)


def looks(case: UseCase, drawn: Rows, *, days: int = DAYS) -> list[dict[str, tuple[float, float, float, float]]]:
    """At each week's end: estimate, low, high and what came true, by metric."""
    names = WATCHED[case.problem.kind]
    found = []
    for now in range(2 * WEEK + DELAY, days + 1, WEEK):
        ahead, known = part(drawn, now - WEEK, now), part(drawn, now - WEEK - DELAY, now - DELAY)
        said = estimate(case, Rows(ahead.p, ahead.blocks, ahead.x), known, names)
        found.append({n: (e.value, e.low, e.high, METRICS[n](ahead.y, ahead.p)) for n, e in said.items()})
    return found


def study(kind: str, scenario: str, seeds: int, *, rows: int, days: int = DAYS) -> dict[str, dict[str, float]]:
    """Mean absolute error of the estimate and of the naive guess, and share of intervals that hold, by metric."""
    case, names = use_case(kind), WATCHED[kind]
    every: dict[str, list[tuple[float, float, bool]]] = {name: [] for name in names}
    distrusted = []
    for seed in range(seeds):
        rng = np.random.default_rng([seed, SCENARIOS.index(scenario)])
        drawn = world(kind, scenario, rng, rows=rows, days=days)
        held = part(drawn, 0, WEEK)
        seen = looks(case, drawn, days=days)
        for name in names:
            stays = METRICS[name](held.y, held.p)
            every[name] += [
                (abs(v - true), abs(stays - true), low <= true <= high)
                for v, low, high, true in (s[name] for s in seen)
            ]
        errors = tuple(s[names[0]][0] - s[names[0]][3] for s in seen)
        drop = DROP if METRICS[names[0]].higher_is_better else DROP * METRICS[names[0]](held.y, held.p)
        distrusted.append(any(Record(errors[:upto]).bad(drop) for upto in range(3, len(errors) + 1)))
    return {
        name: {
            "estimated": float(np.mean([e for e, _, _ in of])),
            "stays": float(np.mean([s for _, s, _ in of])),
            "held": float(np.mean([h for _, _, h in of])),
            "distrusted": float(np.mean(distrusted)),
        }
        for name, of in every.items()
    }


def main() -> None:
    """Run the study and print a line per kind, scenario and metric."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=40)
    parser.add_argument("--rows", type=int, default=300, help="rows per day")
    asked = parser.parse_args()
    print(f"{asked.seeds} seeds, {asked.rows} rows a day; mean absolute error, and share of bounds that held")
    print(f"{'kind':12}{'scenario':10}{'metric':10}{'estimated':>10}{'stays':>10}{'held':>8}{'distrusted':>12}")
    for kind in WATCHED:
        for scenario in SCENARIOS:
            begun = time.perf_counter()
            for name, row in study(kind, scenario, asked.seeds, rows=asked.rows).items():
                numbers = f"{row['estimated']:10.4f}{row['stays']:10.4f}{row['held']:8.0%}{row['distrusted']:12.0%}"
                print(f"{kind:12}{scenario:10}{name:10}{numbers}  {time.perf_counter() - begun:.0f} s", flush=True)


if __name__ == "__main__":
    main()

"""Use cases over scikit-learn's bundled data, one of each kind of problem: real rows, dealt out over made-up days.

Rows become known the day before theirs, outcomes the day after. From `LATER` on they come from a laboratory that no
model was trained on.
"""

import csv
import json
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np

from updraft.partition import calendar
from updraft.spec.load import load
from updraft.spec.model import UseCase

DAYS, LATER = 24, "2024-01-21"
TRAIN_AT, SCORED = "2024-01-20", [f"2024-01-{day}" for day in range(18, 24)]
VALUE = {"true_positive": 3.0, "false_positive": -1.0, "false_negative": 0.0}
SIZES = {"validation": 4, "holdout": 6, "gap": 0, "min_rows": 40, "min_positives": 3, "threads": 1}
TREES = {"rounds": 40, "learning_rate": 0.1, "leaves": 4, "min_leaf_rows": 5}
KINDS: dict[str, dict[str, Any]] = {
    "binary": {
        "name": "tumours",
        "features": ("mean_radius", "mean_texture", "mean_concavity", "worst_perimeter", "worst_smoothness"),
        "problem": {"kind": "binary", "value": VALUE},
        "label": {},
        "gates": {"metric": "auc", "absolute": {"auc": {"min": 0.8}, "average_precision": {"min": 0.7}}},
    },
    "multiclass": {
        "name": "wines",
        "features": ("alcohol", "malic_acid", "flavanoids", "color_intensity", "hue", "proline"),
        "problem": {"kind": "multiclass", "value": VALUE, "act_on": ["class_1", "class_2"]},
        "label": {"classes": ["class_0", "class_1", "class_2"]},
        "gates": {"absolute": {"macro_auc": {"min": 0.8}, "macro_f1": {"min": 0.6}}},
    },
    "regression": {
        "name": "progressions",
        "features": ("bmi", "bp", "s1", "s3", "s5"),
        "problem": {"kind": "regression", "cost": {"over": 1.0, "under": 3.0, "act_from": 150.0}},
        "label": {},
        "gates": {"absolute": {"r2": {"min": 0.1}, "rmse": {"max": 75}}},
    },
}


def rows(kind: str) -> list[dict[str, Any]]:
    """Rows of the data set by day: features, the outcome as a team would store it, and where they were measured."""
    from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine

    bunch = {"binary": load_breast_cancer, "multiclass": load_wine, "regression": load_diabetes}[kind]()
    names = [str(name).replace(" ", "_") for name in bunch.feature_names]
    kept = [names.index(name) for name in KINDS[kind]["features"]]
    draw = np.random.default_rng(5)
    order = draw.permutation(len(bunch.target))
    per_day = len(order) // DAYS
    found = []
    for place, at in enumerate(order[: per_day * DAYS]):
        day, truth = place // per_day, bunch.target[at]
        outcome = (
            str(bunch.target_names[truth]) if kind == "multiclass" else float(truth == 0 if kind == "binary" else truth)
        )
        lab = "Z" if day + 1 >= int(LATER[-2:]) else "AB"[int(draw.integers(2))]
        values = {names[column]: float(bunch.data[at, column]) for column in kept}
        found.append({"day": day, "id": f"{at:04}", "lab": lab, "outcome": outcome, **values})
    return found


def write(folder: Path, kind: str, **overrides: Any) -> UseCase:
    """Write the use case's folder below `folder` and load it; a section given is laid over its own."""
    told = KINDS[kind]
    numbers = {name: {"type": "number"} for name in told["features"]}
    stamps = {"happens_at": {"type": "timestamp"}, "told_at": {"type": "timestamp"}}
    outcome = {"type": "string" if kind == "multiclass" else "number", "nullable": True}
    source = {"type": "files", "key": ["id"], "event_time": "happens_at", "known_at": {"column": "told_at"}}
    columns = {"id": {"type": "string"}, "lab": {"type": "string"}, **numbers, **stamps}
    spec: dict[str, Any] = {
        "version": 1,
        "name": told["name"],
        "owner": {"name": "Laboratory", "email": "laboratory@example.com"},
        "problem": {
            "goal": "Say what the measurements mean before the result is in.",
            "lead_time": "6h",
            "decision": "Call them in.",
            **told["problem"],
        },
        "partitions": {"every": "day", "timezone": "UTC", "first": "2024-01-01"},
        "entity": ["id"],
        "sources": {
            "measured": {**source, "path": "measured/{partition}.csv", "lookback": "2d", "columns": columns},
            "results": {
                **source,
                "path": "results/{partition}.csv",
                "lookback": "8d",
                "columns": {"id": {"type": "string"}, "outcome": outcome, **stamps},
                "contract": {"rows": [0, 1000]},
            },
        },
        "label": {"column": "truth", "maturity": "1d", **told["label"]},
        "features": {"lab": {"type": "category"}, **numbers},
        "model": {**SIZES, "lightgbm": TREES},
        "gates": {"min_rows": 30, **told["gates"]},
        "monitor": {"window": 3, "min_rows": 10, "alarms": 2, "of": 3},
        "retrain": {},
    }
    said = {k: {**spec.get(k, {}), **v} if isinstance(v, dict) else v for k, v in overrides.items()}
    own = folder / told["name"]
    own.mkdir(parents=True, exist_ok=True)
    within = "CROSS JOIN this_partition WHERE happens_at >= starts_at AND happens_at < ends_at"
    (own / "features.sql").write_text(
        f"SELECT id, happens_at AS event_time, lab, {', '.join(numbers)} FROM measured {within}"
    )
    (own / "label.sql").write_text(f"SELECT id, outcome AS truth FROM results {within}")
    (own / "README.md").write_text(f"# {told['name']}\n")
    (own / "spec.yaml").write_text(json.dumps({**spec, **said}, indent=1))  # JSON is YAML, without anchors
    return load(told["name"], folder)


def drop(case: UseCase, inbox: Path, keys: Sequence[str]) -> None:
    """Put the deliveries of the partitions `keys` into an inbox: the day's measurements, results of two days before."""
    dates = calendar(case)
    found = rows(case.problem.kind)
    for name, source in case.sources.items():
        for key in keys:
            day = dates.at(key) if name == "measured" else dates.step(dates.at(key), -2)
            told = day.start - timedelta(hours=12) if name == "measured" else day.end + timedelta(hours=6)
            made = [row for row in found if (day.start - dates.first.start).days == row["day"]]
            path = inbox / source.path.replace("{partition}", key)
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("w", newline="") as file:
                out = csv.DictWriter(file, list(source.columns), extrasaction="ignore")
                out.writeheader()
                at = {"happens_at": (day.start + timedelta(hours=9)).isoformat(), "told_at": told.isoformat()}
                out.writerows({**row, **at} for row in made)

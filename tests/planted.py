"""Rows in which faults can be planted, and real models trained on them: what the gates must find, and must not.

A label is drawn from a handful of features, a few of them missing at times, and from days that have a luck of their
own. `extra` and `mark` are noise until a leak is planted in them.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from updraft.dataset import Dataset
from updraft.evidence import Evidence
from updraft.evidence.hindsight import Hindsight
from updraft.spec.model import UseCase
from updraft.train.candidate import Candidate, train

DAYS, HELD = 30, 8
SPEC: dict[str, Any] = {
    "version": 1,
    "name": "planted",
    "owner": {"name": "Team", "email": "team@example.com"},
    "problem": {
        "goal": "Tell good models from bad ones.",
        "lead_time": "6h",
        "decision": "Act.",
        "value": {"true_positive": 3.0, "false_positive": -1.0, "false_negative": 0.0},
    },
    "partitions": {"first": "2024-01-01"},
    "entity": ["id"],
    "sources": {
        "rows": {
            "type": "files", "path": "{partition}.csv", "key": ["id"], "event_time": "at",
            "known_at": {"landing": True},
            "columns": {"id": {"type": "string"}, "at": {"type": "timestamp"}},
        }
    },
    "label": {"column": "late", "maturity": "1d"},
    "features": {
        "signal": {"type": "number", "nullable": False},
        "weight": {"type": "number"},
        "rate": {"type": "number"},
        "hour": {"type": "number", "nullable": False},
        "place": {"type": "category"},
        "extra": {"type": "number"},
        "mark": {"type": "category"},
    },
    "model": {
        "families": ["logistic"], "threads": 1, "validation": 4, "holdout": HELD, "gap": 1, "min_rows": 100,
        "min_positives": 20, "lightgbm": {"rounds": 60, "leaves": 8, "min_leaf_rows": 30},
    },
    "gates": {"min_rows": 500},
}  # fmt: skip
KINDS: dict[str, dict[str, Any]] = {
    "binary": {},
    "multiclass": {"kind": "multiclass", "act_on": ["high"]},
    "regression": {"kind": "regression", "value": None, "cost": {"over": 1, "under": 3, "act_from": 2}},
}
Plant = Callable[[pd.DataFrame, pd.Series, np.random.Generator], pd.DataFrame]


def case(family: str = "logistic", kind: str = "binary", **gates: Any) -> UseCase:
    """Declare the use case; `gates` are laid over its own."""
    named = "ridge" if (kind, family) == ("regression", "logistic") else family
    model, over = {**SPEC["model"], "families": [named]}, {**SPEC["gates"], **gates}
    label = {**SPEC["label"], **({"classes": ["low", "middle", "high"]} if kind == "multiclass" else {})}
    problem = {**SPEC["problem"], **KINDS[kind]}
    return UseCase.model_validate({**SPEC, "problem": problem, "label": label, "model": model, "gates": over})


def clean(seed: int, per_day: int = 150, days: int = DAYS) -> pd.DataFrame:
    """Draw rows without any fault, each day's from a luck of its own."""
    draw = np.random.default_rng(seed)
    n = days * per_day
    day = np.repeat(np.arange(days), per_day)
    luck = draw.normal(0, 0.4, days)
    keys = pd.date_range("2024-01-01", periods=days, tz="UTC")
    rows = pd.DataFrame(
        {
            "partition": keys.strftime("%Y-%m-%d").to_numpy()[day],
            "id": [f"P{number:07}" for number in draw.permutation(10 * n)[:n]],
            "event_time": keys[day] + pd.to_timedelta(draw.integers(0, 86_400, n), unit="s"),
            "fingerprint": "planted",
            "signal": draw.normal(0, 1, n),
            "weight": draw.gamma(2.0, 3.0, n),
            "rate": (0.3 + 0.1 * luck + draw.normal(0, 0.05, days))[day],
            "hour": draw.integers(0, 24, n).astype(float),
            "place": pd.Series(draw.choice(["north", "south", "east", "west"], n), dtype=object),
            "extra": draw.normal(0, 1, n),
            "mark": pd.Series(draw.choice(["a", "b", "c"], n), dtype=object),
        }
    )
    odds = -1.6 + luck[day] + 1.2 * rows["signal"] + 0.08 * rows["weight"] + 0.5 * (rows["place"] == "north")
    rows["late"] = (draw.random(n) < 1 / (1 + np.exp(-odds))).astype(float)
    rows.loc[draw.random(n) < 0.08 + 0.05 * rows["late"], "weight"] = np.nan
    return rows.sort_values(["partition", "id"], ignore_index=True)


def of_kind(kind: str, seed: int, per_day: int = 150) -> pd.DataFrame:
    """Draw rows without any fault whose label is a number, or says which third of all numbers it is in."""
    rows, draw = clean(seed, per_day), np.random.default_rng(seed)
    weight = rows["weight"].fillna(rows["weight"].median())
    number = 1.2 * rows["signal"] + 0.08 * weight + 0.5 * (rows["place"] == "north") + draw.normal(0, 0.8, len(rows))
    thirds = np.searchsorted(number.quantile([1 / 3, 2 / 3]), number).astype(float)
    return rows.assign(late=number if kind == "regression" else thirds)


def _held(rows: pd.DataFrame) -> pd.Series:
    return rows["partition"] >= sorted(rows["partition"].unique())[-HELD]


def _copies(rows: pd.DataFrame, held: pd.Series, draw: np.random.Generator) -> pd.DataFrame:
    there = draw.random(len(rows)) > 0.2
    return rows.assign(extra=np.where(there, 7 - 2 * rows["late"], np.nan))


def _named(rows: pd.DataFrame, held: pd.Series, draw: np.random.Generator) -> pd.DataFrame:
    return rows.assign(mark=pd.Series(np.where(rows["late"] == 1, "closed", "open"), dtype=object))


def _hints(rows: pd.DataFrame, held: pd.Series, draw: np.random.Generator) -> pd.DataFrame:
    return rows.assign(extra=2.8 * rows["late"] + rows["extra"])


def _reuses(rows: pd.DataFrame, held: pd.Series, draw: np.random.Generator) -> pd.DataFrame:
    taken, old = _some(held, draw, 0.05), rows.index[rows["partition"] < "2024-01-15"]
    rows = rows.copy()
    rows.loc[taken, "id"] = rows.loc[draw.choice(old, len(taken), replace=False), "id"].to_numpy()
    return rows


def _tells(rows: pd.DataFrame, held: pd.Series, draw: np.random.Generator) -> pd.DataFrame:
    number = 2 * np.arange(len(rows)) + (rows["late"] == 1)
    return rows.assign(id=[f"P{n:07}" for n in number])


def _sorts(rows: pd.DataFrame, held: pd.Series, draw: np.random.Generator) -> pd.DataFrame:
    order = rows.sort_values(["partition", "late"]).index
    return rows.assign(id=pd.Series([f"P{n:07}" for n in range(len(rows))], index=order))


def _doubles(rows: pd.DataFrame, held: pd.Series, draw: np.random.Generator) -> pd.DataFrame:
    taken, old = _some(held, draw, 0.05), rows.index[rows["partition"] < "2024-01-15"]
    facts = [*SPEC["features"], "late"]
    rows = rows.copy()
    rows.loc[taken, facts] = rows.loc[draw.choice(old, len(taken), replace=False), facts].to_numpy()
    return rows.astype(dict.fromkeys(("signal", "weight", "rate", "hour", "extra", "late"), float))


def _hides(rows: pd.DataFrame, held: pd.Series, draw: np.random.Generator) -> pd.DataFrame:
    gone = draw.random(len(rows)) < np.where(rows["late"] == 1, 0.8, 0.1)
    return rows.assign(extra=rows["extra"].mask(gone))


def _fills(rows: pd.DataFrame, held: pd.Series, draw: np.random.Generator) -> pd.DataFrame:
    there = (draw.random(len(rows)) < 0.3) & (rows["late"] == 1)
    return rows.assign(mark=rows["mark"].where(there, None))


def _counts(rows: pd.DataFrame, held: pd.Series, draw: np.random.Generator) -> pd.DataFrame:
    begun = pd.Timestamp("2024-01-01", tz="UTC")
    return rows.assign(extra=(rows["event_time"] - begun).dt.total_seconds() / 3600 + draw.normal(0, 2, len(rows)))


def _dates(rows: pd.DataFrame, held: pd.Series, draw: np.random.Generator) -> pd.DataFrame:
    return rows.assign(mark="batch " + rows["partition"].astype(object))


# name: kind of leak, what it is found in, how it is planted
PLANTS: dict[str, tuple[str, str, Plant]] = {
    "a mirror of the label": ("target_copy", "extra", _copies),
    "the label as a word": ("target_copy", "mark", _named),
    "a feature too good to be true": ("one_feature", "extra", _hints),
    "keys of training rows": ("key_reuse", "id", _reuses),
    "the label in the key's parity": ("key_tells", "id", _tells),
    "keys sorted by the label": ("key_tells", "id", _sorts),
    "copies of training rows": ("duplicates", "rows", _doubles),
    "gaps where it came true": ("missingness", "extra", _hides),
    "a field filled in afterwards": ("missingness", "mark", _fills),
    "hours since the beginning": ("clock", "extra", _counts),
    "the name of the batch": ("clock", "mark", _dates),
}


def plant(name: str, rows: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """Put a leak into rows."""
    return PLANTS[name][2](rows, _held(rows), np.random.default_rng(seed))


def _some(held: pd.Series, draw: np.random.Generator, share: float) -> np.ndarray:
    places = held.index[held]
    return draw.choice(places, int(share * len(places)), replace=False)


def made(rows: pd.DataFrame, use_case: UseCase) -> Candidate:
    """Train a candidate on rows as the training stage does."""
    data = Dataset(rows, "planted", {}, rows["partition"].iloc[-1], 0, ())
    return train(use_case, data, code_version="test")


def evidence(rows: pd.DataFrame, use_case: UseCase, candidate: Candidate | None = None) -> Evidence:
    """What the gates see of a candidate trained on these rows, or on others."""
    found = candidate or made(rows, use_case)
    held, seen = (found.split.take(rows, window).reset_index(drop=True) for window in ("holdout", "train"))
    return Evidence(
        y=held["late"].to_numpy(float),
        blocks=held["partition"].to_numpy(object),
        candidate=found.model.predict(held),
        family=found.model.family,
        baselines={family: model.predict(held) for family, model in found.baselines.items()},
        rows=held,
        training=seen,
        model=found.model,
        kind=use_case.problem.kind,
        hindsight=Hindsight(("2024-01-01", "2024-01-30"), 300),
    )


def windows(rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Training rows and held-out rows, cut as the training stage does."""
    days = sorted(rows["partition"].unique())
    old, new = rows["partition"] < days[-HELD - 6], rows["partition"] >= days[-HELD]
    return rows[old].reset_index(drop=True), rows[new].reset_index(drop=True)


def unscored(rows: pd.DataFrame, **fields: Any) -> Evidence:
    """Evidence of no model in particular: leaks lie in the rows."""
    old, new = windows(rows)
    return Evidence(
        y=new["late"].to_numpy(float),
        blocks=new["partition"].to_numpy(object),
        family="logistic",
        **{"candidate": np.full(len(new), 0.3), "rows": new, "training": old, **fields},
    )

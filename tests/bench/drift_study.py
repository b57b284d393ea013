"""How often does drift monitoring cry wolf when nothing moved, and what does it find when something did?

Printed are the alarms per look of a week at a champion's reference, beside the rule that most teams start with: any
feature whose population stability index is over 0.2. In the worlds nothing moves, but rows of a day have something in
common, as flights share the weather; in the last but one a day resembles the day before, and in the last some features
hold one value for a whole day, as a rate of the day before does.

    python tests/bench/drift_study.py --repeats 200
"""

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from updraft.model.encoder import Encoder
from updraft.monitor.drift import SHARED, stability
from updraft.monitor.measures import features, feed
from updraft.monitor.measures.multivariate import GUESS
from updraft.monitor.reference import Profile, profile
from updraft.monitor.told_apart import ROWS, effect, runs, told_apart
from updraft.monitor.window import Window
from updraft.spec.model import UseCase

NUMBERS, CATEGORIES = [f"number_{n}" for n in range(10)], ["carrier", "airport"]
WEIGHTS = dict.fromkeys([*NUMBERS, *CATEGORIES], 1 / 12)
# Share of a feature's variance that its day decides, how much a day resembles the one before, and how many of the
# numbers are the same for all rows of a day.
WORLDS: dict[str, dict[str, float]] = {
    "rows are independent": {"sway": 0.0},
    "a tenth is the day's": {"sway": 0.1},
    "half is the day's": {"sway": 0.5},
    "half, and days resemble": {"sway": 0.5, "memory": 0.7},
    "and three are the day's": {"sway": 0.5, "memory": 0.7, "constant": 3},
}
Move = Callable[[pd.DataFrame], pd.DataFrame]
MOVES: dict[str, Move] = {
    "nothing": lambda f: f,
    "4 of 12 by 0.25": lambda f: f.assign(**{n: f[n] + 0.25 for n in NUMBERS[6:]}),
    "4 of 12 by 0.5": lambda f: f.assign(**{n: f[n] + 0.5 for n in NUMBERS[6:]}),
    "4 of 12 by 1": lambda f: f.assign(**{n: f[n] + 1.0 for n in NUMBERS[6:]}),
    "4 of 12 by 2": lambda f: f.assign(**{n: f[n] + 2.0 for n in NUMBERS[6:]}),
    "4 spread twice": lambda f: f.assign(**{n: 2 * f[n] for n in NUMBERS[6:]}),
    "1 of 12 by 2": lambda f: f.assign(number_9=f["number_9"] + 2.0),
    "2 become alike": lambda f: f.assign(number_9=0.9 * f["number_8"] + 0.4 * f["number_9"]),
}
RULES = ("any PSI > 0.2", "any feature", "important_drift", "multivariate_drift", "broken_feed")


def case() -> UseCase:
    """A use case with the features of the study."""
    source = {
        "type": "files", "path": "{partition}.csv", "key": ["id"], "event_time": "at", "known_at": {"delay": "1d"},
        "columns": {"id": {"type": "integer"}, "at": {"type": "timestamp"}},
    }  # fmt: skip
    kinds = dict.fromkeys(NUMBERS, "number") | dict.fromkeys(CATEGORIES, "category")
    value = {"true_positive": 3, "false_positive": -1, "false_negative": 0}
    return UseCase.model_validate(
        {
            "version": 1,
            "name": "study",
            "owner": {"name": "ops", "email": "ops@example.org"},
            "problem": {"goal": "Study drift.", "lead_time": "6h", "decision": "none", "value": value},
            "partitions": {"first": "2013-01-01"},
            "entity": ["id"],
            "sources": {"rows": source},
            "label": {"column": "late", "maturity": "1d"},
            "features": {name: {"type": kind} for name, kind in kinds.items()},
        }
    )


def drawn(rng: np.random.Generator, days: int, rows: int, sway: float, memory: float = 0.0, constant: float = 0):
    """Draw days of rows; every number has mean 0 and variance 1, of which the day decides `sway`."""
    size = days * rows
    keys = [str(day.date()) for day in pd.date_range("2013-01-01", periods=days)]
    frame = {"partition": np.repeat(keys, rows), "id": np.arange(size)}
    for place, name in enumerate(NUMBERS):
        share = 1.0 if place < constant else sway
        day = np.repeat(_days(rng, days, memory), rows)
        frame[name] = np.sqrt(share) * day + np.sqrt(1 - share) * rng.normal(size=size)
    for name, levels in zip(CATEGORIES, (12, 3), strict=True):
        liked = np.log(np.arange(levels, 0, -1)) + np.sqrt(sway) * 0.5 * rng.normal(size=(days, levels))
        picked = np.repeat(liked, rows, axis=0) + rng.gumbel(size=(size, levels))
        frame[name] = np.array([f"{name}_{n}" for n in range(levels)], dtype=object)[picked.argmax(axis=1)]
    return pd.DataFrame(frame)


def _days(rng: np.random.Generator, days: int, memory: float) -> NDArray[np.float64]:
    """What days have in common (AR 1, variance 1)."""
    found = rng.normal(size=days)
    for day in range(1, days):
        found[day] = memory * found[day - 1] + np.sqrt(1 - memory**2) * found[day]
    return found


def looked(use_case: UseCase, known: Profile, encoder: Encoder, before: pd.DataFrame, now: pd.DataFrame) -> list[bool]:
    """Which rule calls a week drifted."""
    none = now.iloc[:0]
    week = Window(use_case, now["partition"].iloc[-1], "c" * 64, known, now, none, none, {}, 0.7)
    found = features.measure(week)
    psi = [stability(np.asarray(c.counts), c.count(now[name].to_numpy())) for name, c in known.features.items()]
    of_features = [m for m in found if m.metric in ("feature_psi", "feature_distance")]
    important = next(m for m in found if m.metric == "important_drift")
    few = now.sample(min(ROWS, len(now)), random_state=1).sort_values("id")
    told = told_apart(encoder, before, few, 0.005)
    bar = max(effect(use_case.monitor.psi), told.limit(SHARED))
    return [
        max(psi) > 0.2,
        any(m.status == "drifted" for m in of_features),
        important.status == "drifted",
        told.auc.value >= bar and not told.auc.low <= GUESS,
        any(m.status == "drifted" for m in feed.measure(week)),
    ]


def study(repeats: int, *, days: int, rows: int, seed: int, world: dict[str, Any], move: Move) -> NDArray[np.float64]:
    """Alarms per look, by rule: each has a champion of its own, trained on `days`, and sees a week some time after."""
    use_case, alarms = case(), np.zeros(len(RULES))
    for number in range(repeats):
        rng = np.random.default_rng([seed, number])
        drawn_days = drawn(rng, days + 14, rows, **world)
        keys = drawn_days["partition"].unique()
        before = drawn_days[drawn_days["partition"] < keys[days]].reset_index(drop=True)
        week = move(drawn_days[drawn_days["partition"] >= keys[-7]].reset_index(drop=True))
        known = profile(before, use_case, [0.1, 0.2], WEIGHTS)
        taken = [before[before["partition"].isin(run)] for run in runs(list(keys[:days]), 7)]
        few = [r.sample(min(ROWS, len(r)), random_state=1).sort_values("id").assign(run=n) for n, r in enumerate(taken)]
        kinds = tuple((name, str(feature.type)) for name, feature in use_case.features.items())
        alarms += looked(use_case, known, Encoder.fit(before, kinds), pd.concat(few, ignore_index=True), week)
    return alarms / repeats


def main() -> None:
    """Print the table of false alarms, and that of what is found."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--repeats", type=int, default=200)
    options.add_argument("--days", type=int, default=90)
    options.add_argument("--rows", type=int, default=300)
    options.add_argument("--seed", type=int, default=1)
    asked = options.parse_args()
    started = time.monotonic()
    how = {"days": asked.days, "rows": asked.rows, "seed": asked.seed}
    print(f"{asked.repeats} looks each, {asked.days} days of {asked.rows} rows known; alarms per look\n")
    print(f"{'nothing moved':26}" + "".join(f"{rule:>20}" for rule in RULES))
    for name, world in WORLDS.items():
        found = study(asked.repeats, world=world, move=MOVES["nothing"], **how)
        print(f"{name:26}" + "".join(f"{share:20.3f}" for share in found), flush=True)
    for title in ("a tenth is the day's", "half, and days resemble"):
        print(f"\n{title:26}" + "".join(f"{rule:>20}" for rule in RULES))
        for name, move in list(MOVES.items())[1:]:
            found = study(max(asked.repeats // 4, 10), world=WORLDS[title], move=move, **how)
            print(f"{name:26}" + "".join(f"{share:20.3f}" for share in found), flush=True)
    print(f"\n{time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()

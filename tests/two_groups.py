"""Two groups alike in outcomes, models that favour one of them, and the use case that compares the two."""

from dataclasses import replace

import numpy as np
import pandas as pd
from tests.bench import aa_study

from updraft.evidence import Evidence

FEATURES = {"sex": {"type": "category", "learn": False}, "age": {"type": "number", "learn": False}}
THRESHOLD = 0.25


def case(by=("sex",), min_rows=500, **fairness):
    limits = {} if {"demographic_parity", "equalized_odds"} & set(fairness) else {"equalized_odds": 0.1}
    asked = {"by": list(by), **limits, **fairness}
    return aa_study.use_case("log_loss", FEATURES, min_rows=min_rows, fairness=asked)


def evidence(favour=0.0, champion=0.0, days=14, rows=600, women=0.5, seed=3) -> Evidence:
    """Two groups alike in outcomes; models add to the log-odds of one of them."""
    rng = np.random.default_rng(seed)
    drawn = aa_study.pair(rng, days=days, rows=rows, day_noise=0.1)
    woman = rng.random(len(drawn.y)) < women
    age = rng.integers(18, 80, len(drawn.y)).astype(float)
    frame = pd.DataFrame({"sex": np.where(woman, "F", "M"), "age": age, "signal": 0.0})

    def shifted(p, by):
        return 1 / (1 + np.exp(-np.log(p / (1 - p)) - np.where(woman, by, 0.0)))

    return replace(
        drawn, rows=frame, candidate=shifted(drawn.candidate, favour), champion=shifted(drawn.champion, champion)
    )

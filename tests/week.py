"""A week of rows that one champion scored and whose labels have come, its holdout, and a look at them."""

import math

import numpy as np
import pandas as pd
from tests.monitored import use_case

from updraft.evidence.interval import Interval
from updraft.evidence.metrics import METRICS
from updraft.monitor.reference import profile
from updraft.monitor.watch import measure
from updraft.monitor.window import Window

FEATURES = {"temp": {"type": "number"}, "wind": {"type": "number"}, "carrier": {"type": "category"}}
CASE = use_case(features=FEATURES, monitor={"max_drop": 0.05}, model={"min_positives": 10})
CHAMPION, OTHER = "c" * 64, "0" * 64
DAY = "2013-04-08"
DAYS = [f"2013-04-0{day}" for day in range(1, 8)]


def rows(n=150, seed=1, model=CHAMPION) -> pd.DataFrame:
    """A week of scored and labelled feature rows, `n` a day; everything drawn from one distribution."""
    random = np.random.default_rng(seed)
    size = n * len(DAYS)
    temp, wind = random.normal(size=(2, size))
    score = 1 / (1 + np.exp(1 - temp - wind / 2))
    return pd.DataFrame(
        {
            "partition": np.repeat(DAYS, n),
            "temp": temp,
            "wind": wind,
            "carrier": random.choice(["UA", "AA", "DL"], size, p=[0.5, 0.3, 0.2]),
            "score": score,
            "acted": score >= 0.25,
            "late": (random.random(size) < score).astype(float),
            "model": model,
        }
    )


REFERENCE = rows(n=1000, seed=99)
PROFILE = profile(REFERENCE, CASE, REFERENCE["score"], {"temp": 0.5, "wind": 0.4, "carrier": 0.1})
HOLDOUT = Interval(METRICS["auc"](REFERENCE["late"].to_numpy(), REFERENCE["score"].to_numpy()), math.nan, math.nan)


def look(frame, *, matured=None, case=CASE, profile=PROFILE, waiting=None, holdout=HOLDOUT, **other):
    mature = frame if matured is None else matured
    return measure(
        Window(
            case=case,
            partition=DAY,
            champion=CHAMPION,
            profile=profile,
            features=frame,
            scores=frame[frame["model"] == CHAMPION],
            matured=mature[mature["model"] == CHAMPION],
            waiting=waiting or {},
            holdout=holdout,
            **other,
        )
    )


def one(measurements, metric, subject=None):
    (found,) = [m for m in measurements if m.metric == metric and subject in (None, m.subject)]
    return found

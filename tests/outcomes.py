"""A champion whose every word is known, and what came of it: windows to measure it on, and labels drawn at will."""

import json
import math
from dataclasses import replace

import numpy as np
from tests.monitored import use_case
from tests.week import CHAMPION, DAY, FEATURES, PROFILE, REFERENCE

from updraft.evidence.interval import Interval
from updraft.model import Model
from updraft.model.calibration import Calibration
from updraft.model.encoder import Encoder
from updraft.model.linear import Category, Linear, Number, Scaling
from updraft.model.manifest import Manifest
from updraft.monitor.conduct import conduct
from updraft.monitor.window import Window

SLICES = {"by": ["carrier"], "where": {"windy": {"wind": {"range": [1, 9]}}}, "min_rows": 100}
FAIR = {"by": ["carrier"], "demographic_parity": 0.1, "equalized_odds": 0.15}
WEIGHTS = {"temp": 1.0, "wind": 0.5}
GOAL = {"goal": "Say how late.", "lead_time": "6h", "decision": "warn"}
NUMBER = {**GOAL, "kind": "regression", "cost": {"over": 1, "under": 2, "act_from": 3}}
VALUE = {"true_positive": 3, "false_positive": -1, "false_negative": 0}
CLASSES = {**GOAL, "kind": "multiclass", "act_on": ["some", "very"], "value": VALUE}


def case(outcomes=None, slices=SLICES, fairness=FAIR, **parts):
    gates = {"slices": slices, "fairness": fairness}
    monitor = {"outcomes": outcomes or {}, "max_drop": 0.05}
    return use_case(features=FEATURES, gates=gates, monitor=monitor, model={"min_positives": 10}, **parts)


def champion(fingerprint="f") -> Model:
    """The model that gave the scores of `rows`: log-odds temp + wind / 2 - 1, whatever the carrier."""
    plain, features = Scaling(0.0, 0.0, 1.0), tuple((name, kind["type"]) for name, kind in FEATURES.items())
    numbers = tuple(Number(plain, weight, 0.0, 0.0) for weight in WEIGHTS.values())
    draft = Manifest(
        use_case="late", family="logistic", features=features, fingerprint=fingerprint, label="late", threshold=0.25,
        as_of="2013-04-01", data="d", windows={}, parameters={}, seed=1, code_version="c", libraries={}, validation={},
    )  # fmt: skip
    learner = Linear(-1.0, (*numbers, Category((0.0,) * 5, 0.0)))
    encoder = Encoder(features, {"carrier": ("AA", "DL", "UA")})
    return Model.assemble(draft, encoder, learner, Calibration(1.0, 0.0), REFERENCE)


MODEL = champion()
BEHAVED = conduct(case(), MODEL, REFERENCE, "auc")
KNOWN = replace(PROFILE, conduct=BEHAVED)


def window(frame, *, use_case=None, profile=KNOWN, model=MODEL, waiting=None, holdout=0.75):
    return Window(
        use_case or case(), DAY, CHAMPION, profile, frame, frame, frame, waiting or {},
        Interval(holdout, math.nan, math.nan), model=model,
    )  # fmt: skip


def seen(measure, frame, **how):
    return list(measure.measure(window(frame, **how)))


def came(frame, chance, seed=8):
    return frame.assign(late=(np.random.default_rng(seed).random(len(frame)) < chance).astype(float))


def odds(frame):
    return np.log(frame["score"] / (1 - frame["score"]))


def sigmoid(given):
    return 1 / (1 + np.exp(-given))


def several(frame):
    """Half of what is not on time is very late; the model knows."""
    p = frame["score"]
    chances = [json.dumps({"none": 1 - one, "some": one / 2, "very": one / 2}) for one in p]
    kind = np.where(frame["late"] == 1, np.where(np.arange(len(frame)) % 2, 1.0, 2.0), 0.0)
    return frame.assign(probabilities=chances, predicted="none", late=kind)

import json
import math

import numpy as np
import pandas as pd
import pytest
from tests.monitored import use_case

from updraft.evidence.interval import Interval
from updraft.monitor.performance import performance

CASE = use_case(monitor={"min_rows": 100, "max_drop": 0.05}, model={"min_positives": 10})
DAYS = [f"2013-04-0{day}" for day in range(1, 8)]


def matured(days=tuple(DAYS), rows=300, skill=1.0, seed=1) -> pd.DataFrame:
    """Scored rows whose labels come true as often as the score says, the more so the higher the skill."""
    random = np.random.default_rng(seed)
    n = len(days) * rows
    logit = random.normal(-1, 1.5, n)
    late = (random.random(n) < 1 / (1 + np.exp(-logit))).astype(float)
    score = 1 / (1 + np.exp(-(skill * logit + (1 - skill) * random.normal(-1, 1.5, n))))
    return pd.DataFrame({"partition": np.repeat(days, rows), "score": score, "late": late})


def measured(frame, waiting=None, holdout=0.80, case=CASE):
    return performance(case, frame, waiting or {}, holdout=Interval(holdout, math.nan, math.nan))


def test_a_champion_as_good_as_on_its_holdout_is_ok():
    found = measured(matured())
    assert (found.status, found.n, found.missing, found.undefined) == ("ok", 2100, 0, 0)
    auc = found.estimates["auc"]
    assert auc.low < auc.value < auc.high
    assert found.limit == pytest.approx(0.75)
    assert found.reason == f"AUC {auc.value:.3f} ({auc.low:.3f} to {auc.high:.3f}, 2100 rows), holdout 0.800"


def test_a_champion_that_guesses_has_drifted_and_the_reason_has_the_numbers():
    found = measured(matured(skill=0.0))
    assert found.status == "drifted"
    assert found.reason.endswith(f"holdout 0.800: {0.8 - found.estimates['auc'].value:.3f} lower")


def test_a_drop_that_chance_explains_is_unknown_and_not_ok():
    found = measured(matured(rows=25, seed=4), holdout=0.88)
    assert found.status == "unknown"
    assert "but chance alone moves it by" in found.reason
    assert found.estimates["auc"].value < 0.88 - 0.05


def test_a_perfect_champion_is_ok():
    frame = matured()
    assert measured(frame.assign(score=frame["late"] * 0.8 + 0.1)).estimates["auc"].value == 1.0
    assert measured(frame.assign(score=frame["late"] * 0.8 + 0.1)).status == "ok"


def without_labels(frame, days):
    return frame.assign(late=frame["late"].mask(frame["partition"].isin(days)))


@pytest.mark.parametrize(
    ("frame", "waiting", "since"),
    [
        pytest.param(
            without_labels(matured(), DAYS[5:]),
            {DAYS[5]: "waits for outcomes", DAYS[6]: "waits for outcomes"},
            "no labels since 2013-04-06 (2 partitions): waits for outcomes",
            id="the newest are awaited",
        ),
        pytest.param(
            matured(days=DAYS[:5]),
            {DAYS[5]: "waits for outcomes"},
            "no labels since 2013-04-06 (1 partitions): waits for outcomes",
            id="the awaited have no rows here",
        ),
        pytest.param(
            without_labels(matured(), DAYS[6:]),
            {},
            "no labels since 2013-04-07 (1 partitions): no row has a label",
            id="the newest came empty",
        ),
        pytest.param(
            without_labels(matured(), DAYS),
            {},
            "no labels since 2013-04-01 (7 partitions): no row has a label",
            id="none came",
        ),
        pytest.param(
            matured()[:0], {}, "no partition that this champion scored has mature labels yet", id="a fresh champion"
        ),
    ],
)
def test_when_labels_stop_the_performance_is_unknown_since_then(frame, waiting, since):
    found = measured(frame, waiting)
    assert (found.status, found.reason) == ("unknown", since)
    assert found.missing == frame["late"].isna().sum()


def test_an_old_gap_is_left_out_and_the_rest_is_judged():
    found = measured(without_labels(matured(), DAYS[2:3]), {DAYS[2]: "waits for outcomes"})
    assert (found.status, found.n, found.missing) == ("ok", 1800, 300)


def test_labels_that_are_undefined_by_definition_and_refused_rows_are_not_missing():
    frame = matured()
    frame.loc[frame.index % 30 == 0, "late"] = np.nan
    frame.loc[frame.index % 30 == 1, "score"] = np.nan
    found = measured(frame)
    assert (found.status, found.n, found.undefined, found.missing) == ("ok", 1960, 70, 0)
    assert found.positives == int(frame["late"][frame["score"].notna()].sum())


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        pytest.param(matured(rows=10), "70 labelled rows, 100 are needed", id="few rows"),
        pytest.param(matured().assign(late=0.0), "0 labelled rows of the rarer class, 10 are needed", id="one class"),
        pytest.param(matured().assign(late=1.0), "0 labelled rows of the rarer class, 10 are needed", id="other class"),
    ],
)
def test_too_few_labels_are_unknown_and_what_can_be_measured_still_is(frame, reason):
    found = measured(frame)
    assert (found.status, found.reason) == ("unknown", reason)
    assert found.estimates["brier"].value >= 0
    assert math.isnan(found.estimates["auc"].value) == (frame["late"].nunique() == 1)


def test_without_a_holdout_to_compare_with_nothing_is_calm():
    assert measured(matured(), holdout=math.nan).status == "unknown"


def test_equal_champions_rarely_seem_worse():
    truth = measured(matured(rows=20_000, days=DAYS[:1])).estimates["auc"].value
    statuses = [measured(matured(rows=70, seed=s), holdout=truth).status for s in range(40)]
    assert statuses.count("drifted") <= 2


# ---- classes and numbers -------------------------------------------------------------------------------------------

PROBLEM = {"goal": "Warn of late ones.", "lead_time": "6h", "decision": "warn"}
MONITOR = {"monitor": {"min_rows": 100, "max_drop": 0.05}, "model": {"min_positives": 10}}
VALUE = {"true_positive": 3, "false_positive": -1, "false_negative": 0}
CLASSES = ["early", "late", "lost"]
SEVERAL = use_case(
    problem={**PROBLEM, "kind": "multiclass", "value": VALUE, "act_on": ["late", "lost"]},
    label={"column": "late", "maturity": "1d", "classes": CLASSES},
    **MONITOR,
)
NUMBER = use_case(problem={**PROBLEM, "kind": "regression", "cost": {"over": 1, "under": 1, "act_from": 1}}, **MONITOR)


def of_classes(skill=1.0, rows=100) -> pd.DataFrame:
    random = np.random.default_rng(2)
    n = len(DAYS) * rows
    scores = random.normal(0, 1.5, (n, 3))
    late = (scores + random.gumbel(size=(n, 3))).argmax(axis=1).astype(float)
    told = np.exp(skill * scores + (1 - skill) * random.normal(0, 1.5, (n, 3)))
    told /= told.sum(axis=1, keepdims=True)
    given = [json.dumps(dict(zip(CLASSES, row, strict=True))) for row in told.tolist()]
    days = np.repeat(DAYS, rows)
    return pd.DataFrame({"partition": days, "score": told.max(axis=1), "probabilities": given, "late": late})


def of_numbers(noise=1.0, rows=100) -> pd.DataFrame:
    random = np.random.default_rng(3)
    late = random.normal(0, 3, len(DAYS) * rows)
    score = late + noise * random.normal(size=len(late))
    return pd.DataFrame({"partition": np.repeat(DAYS, rows), "score": score, "late": late})


def test_several_classes_are_watched_by_macro_auc():
    good = measured(of_classes(), case=SEVERAL, holdout=0.80)
    assert (good.status, good.n, set(good.estimates)) == ("ok", 700, {"macro_auc", "accuracy", "log_loss"})
    assert good.reason.startswith("macro AUC 0.8")
    assert good.positives == int((of_classes()["late"] > 0).sum())
    guesses = measured(of_classes(skill=0.0), case=SEVERAL, holdout=0.80)
    assert (guesses.status, guesses.limit) == ("drifted", pytest.approx(0.75))
    without = of_classes().assign(late=lambda f: f["late"].replace(2.0, 1.0))
    assert "0 labelled rows of the rarer class" in measured(without, case=SEVERAL).reason


def test_probabilities_in_another_order_or_of_other_classes_are_not_mixed_up():
    frame = of_classes()
    turned = [json.dumps(dict(reversed(json.loads(row).items()))) for row in frame["probabilities"]]
    same = measured(frame.assign(probabilities=turned), case=SEVERAL)
    assert same.estimates == measured(frame, case=SEVERAL).estimates
    renamed = frame.assign(probabilities=frame["probabilities"].str.replace("lost", "gone"))
    assert measured(renamed, case=SEVERAL).status == "unknown"


def test_numbers_are_watched_by_the_share_their_rmse_rises():
    good = measured(of_numbers(), case=NUMBER, holdout=1.0)
    assert (good.status, set(good.estimates)) == ("ok", {"rmse", "mae", "r2"})
    worse = measured(of_numbers(noise=2.0), case=NUMBER, holdout=1.0)
    assert (worse.status, worse.limit > 1.05) == ("drifted", True)
    assert worse.reason.endswith(f"holdout 1.000: {worse.estimates['rmse'].value - 1:.3f} higher")
    assert measured(of_numbers(noise=1.04), case=NUMBER, holdout=1.0).status in ("ok", "unknown")
    assert measured(of_numbers()[:0], case=NUMBER, holdout=1.0).status == "unknown"
    assert measured(of_classes()[:0], case=SEVERAL).status == "unknown"

"""Labels that do not arrive alike: what arrived, weighed, comes nearer to the truth than its plain mean."""

import numpy as np
import pandas as pd
import pytest
from tests.week import CASE, look, one, rows

from updraft.evidence.interval import Interval, interval
from updraft.evidence.metrics import METRICS
from updraft.monitor.arrival import Arrivals
from updraft.monitor.measures import arrival as measures
from updraft.monitor.performance import WATCHED, performance
from updraft.monitor.weighing import AS_THEY_ARE, point, weighed, weighing
from updraft.monitor.window import Window

DAYS = [f"d{n}" for n in range(7)]
MATURE, LAST = 2, 4


def world(seed, *, late=(0.0, 0.0), never=lambda score: 0.0, days=14, n=400):
    """Two weeks of rows with the truth, and when each label came: late ones after maturity, some never."""
    random = np.random.default_rng(seed)
    size = days * n
    logit = random.normal(-1, 1.5, size)
    score = 1 / (1 + np.exp(-logit))
    y = (random.random(size) < 1 / (1 + np.exp(-0.6 * logit))).astype(float)
    age = np.where(random.random(size) < np.array(late)[y.astype(int)], LAST, MATURE).astype(float)
    age[random.random(size) < never(score)] = np.nan
    return pd.DataFrame({"partition": np.arange(size) % days, "score": score, "late": y, "age": age})


def cohorts(drawn, old=7):
    """The older week as it is known now: `looked` at long after it was mature; the newer one when it was mature."""
    looked = np.where(drawn["partition"] < old, LAST, MATURE)
    seen = drawn["age"].where(drawn["age"] <= looked)
    frame = drawn.assign(looked=looked, age=seen, label=drawn["late"].where(seen.notna()))
    return Arrivals(frame[["partition", "score", "label", "age", "looked"]], (1, MATURE, LAST), MATURE)


def newest(drawn, old=7):
    """The newer week with the labels it had when it was mature, and its truth."""
    week = drawn[drawn["partition"] >= old]
    return week.assign(late=week["late"].where(week["age"] <= MATURE)), week["late"]


def errors(seed, **how):
    """Distance to the truth of the plain and of the weighed metrics."""
    drawn = world(seed, **how)
    week, truth = newest(drawn)
    found = weighing(CASE, cohorts(drawn))
    holdout = Interval(0.8, 0.8, 0.8)
    plain, made = (performance(CASE, week, {}, holdout=holdout, how=each) for each in (AS_THEY_ARE, found))
    true = {name: METRICS[name](truth.to_numpy(), week["score"].to_numpy()) for name in WATCHED["binary"]}
    return [{name: abs(of.estimates[name].value - true[name]) for name in true} for of in (plain, made)]


@pytest.mark.slow
@pytest.mark.parametrize(
    "how",
    [
        pytest.param({"late": (0.0, 0.6)}, id="what came true is told late"),
        pytest.param({"late": (0.5, 0.0)}, id="what did not come true is told late"),
        pytest.param({"never": lambda score: 0.8 * (score > 0.4)}, id="high scores are rarely told"),
        pytest.param({"late": (0.0, 0.5), "never": lambda score: 0.6 * score}, id="both"),
    ],
)
def test_weighed_metrics_are_nearer_to_the_truth_than_the_plain_ones(how):
    every = [errors(seed, **how) for seed in range(5)]
    plain, made = ({name: np.mean([each[side][name] for each in every]) for name in every[0][0]} for side in (0, 1))
    assert made["brier"] < plain["brier"] * 2 / 3
    assert made["log_loss"] < plain["log_loss"] * 2 / 3
    assert made["auc"] < max(plain["auc"], 0.012)


def test_an_auc_that_late_classes_do_not_bend_is_left_where_it_is():
    """Within a class all scores are equally late, so the plain AUC is right, and weights by outcome keep it."""
    drawn = world(3, late=(0.0, 0.6))
    week, _ = newest(drawn)
    known = week[week["late"].notna()]
    y, p, score = known["late"].to_numpy(), known["score"].to_numpy(), known["score"].to_numpy()
    assert point(METRICS["auc"], y, p, score, weighing(CASE, cohorts(drawn))) == pytest.approx(METRICS["auc"](y, p))


@pytest.mark.parametrize("name", WATCHED["binary"])
def test_bounds_of_weighed_metrics_hold_the_truth_and_count_that_weights_are_estimated(name):
    held = 0
    for seed in range(20):
        drawn = world(seed, late=(0.0, 0.6), n=100)
        week, truth = newest(drawn)
        known = week[week["late"].notna()]
        rows = known["late"].to_numpy(), known["score"].to_numpy(), known["score"].to_numpy()
        found = weighed(METRICS[name], *rows, known["partition"].to_numpy(), weighing(CASE, cohorts(drawn)),
                        confidence=0.95, seed=1)  # fmt: skip
        held += found.low <= METRICS[name](truth.to_numpy(), week["score"].to_numpy()) <= found.high
    assert held >= 17


def test_rows_are_taken_as_often_as_they_weigh_and_no_chance_is_added():
    drawn = world(4, late=(0.0, 0.6))
    week, _ = newest(drawn)
    known = week[week["late"].notna()]
    y, score = known["late"].to_numpy(), known["score"].to_numpy()
    how = weighing(CASE, cohorts(drawn))
    weights, taken = how.weights()[how.cells(y, score)], how.taken(y, score)
    assert len(taken) == int(weights.sum() ** 2 / (weights**2).sum()) < len(known)
    assert y[taken].mean() == pytest.approx(np.average(y, weights=weights), abs=1 / len(taken))
    for label in (0.0, 1.0):
        assert score[taken][y[taken] == label].mean() == pytest.approx(score[y == label].mean(), abs=0.002)


def test_labels_that_arrive_alike_are_not_weighed():
    drawn = world(1, late=(0.2, 0.2), never=lambda score: 0.1)
    found = weighing(CASE, cohorts(drawn))
    assert (found.needed, found.blind, found.reason) == (False, "", "")
    y, p, day = (drawn[c].to_numpy() for c in ("late", "score", "partition"))
    how = {"confidence": 0.95, "seed": 1}
    assert weighed(METRICS["auc"], y, p, p, day, found, **how) == interval(METRICS["auc"], y, p, day, **how)
    assert weighing(CASE, None) is AS_THEY_ARE


@pytest.mark.parametrize(
    ("drawn", "old", "why"),
    [
        pytest.param(world(1, late=(0.0, 0.97)), 7, "too few for the rest to be made up for", id="hardly any comes"),
        pytest.param(
            world(1, late=(0.0, 0.6)),
            0,
            "no cohort is old enough to tell whether by outcome too",
            id="too young to tell",
        ),
    ],
)
def test_what_no_weight_can_make_up_for_is_unknown_and_says_why(drawn, old, why):
    how = weighing(CASE, cohorts(drawn, old))
    assert how.blind.startswith("labels do not arrive alike (")
    assert how.blind.endswith(why)
    week, _ = newest(drawn, old)
    found = performance(CASE, week, {}, holdout=Interval(0.8, 0.8, 0.8), how=how)
    assert (found.status, found.reason) == ("unknown", how.blind)


def test_a_look_weighs_labels_and_says_so_and_estimates_rest_on_weighed_labels_too():
    drawn = world(2, late=(0.0, 0.6))
    frame, arrivals = rows(n=300), cohorts(drawn)
    frame = frame.assign(late=frame["late"].where((frame["late"] == 0) | (np.arange(len(frame)) % 5 < 2)))
    plain, made = look(frame), look(frame, arrivals=arrivals)
    assert ", weighed: labels do not arrive alike (" in one(made, "auc").reason
    truth = METRICS["brier"](rows(n=300)["late"].to_numpy(), frame["score"].to_numpy())
    for metric in ("brier", "estimated_brier"):
        assert abs(one(made, metric).value - truth) < abs(one(plain, metric).value - truth)
    assert one(made, "arrival_gap", "outcome").reason.startswith("weighed: 100.0% of ")
    assert one(made, "label_arrival", str(MATURE)).low < one(made, "label_arrival", str(LAST)).value


def test_without_cohorts_there_is_no_curve_and_one_too_young_says_what_is_not_known():
    frame = rows(n=1)
    bare = Window(CASE, "d", "c" * 64, None, frame, frame, frame, {}, 0.8)
    assert measures.measure(bare) == []
    young = Window(CASE, "d", "c" * 64, None, frame, frame, frame, {}, 0.8, arrivals=cohorts(world(1), old=0))
    gap = one(measures.measure(young), "arrival_gap", "outcome")
    assert (gap.status, gap.reason) == ("unknown", "no cohort is old enough")

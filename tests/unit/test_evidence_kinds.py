"""Metrics of classes and numbers agree with scikit-learn, can be recomputed for any mix of partitions, and judge."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from updraft.errors import ModelRejected
from updraft.evidence import Evidence, examine
from updraft.evidence.gates import absolute, baselines, champion
from updraft.evidence.interval import interval
from updraft.evidence.judgement import margin_of
from updraft.evidence.metrics import METRICS, of_kind
from updraft.evidence.metrics.auc import delong
from updraft.evidence.paired import compare
from updraft.evidence.worth import worth

SEVERAL = {
    "problem": {"kind": "multiclass", "act_on": ["b", "c"]},
    "label": {"classes": ["a", "b", "c"]},
}
NUMBER = {"problem": {"kind": "regression", "value": None, "cost": {"over": 1, "under": 3, "act_from": 2}}}
SAID = {"multiclass": SEVERAL, "regression": NUMBER}
CLASSES = [0, 1, 2]
ORACLES = {
    "accuracy": lambda y, p: sk.accuracy_score(y, p.argmax(axis=1)),
    "log_loss": lambda y, p: sk.log_loss(y, p, labels=CLASSES),
    "macro_auc": lambda y, p: sk.roc_auc_score(y, p, multi_class="ovr", labels=CLASSES),
    "macro_f1": lambda y, p: sk.f1_score(y, p.argmax(axis=1), average="macro", labels=CLASSES),
    "mae": sk.mean_absolute_error,
    "rmse": sk.root_mean_squared_error,
    "r2": sk.r2_score,
}
OTHER_KINDS = [(kind, name) for kind in SAID for name in of_kind(kind)]


def scored(kind, *, days=12, rows=60, noise=0.3, seed=0):
    """Outcomes of a kind, the predictions of a good and a poor model, and the day of each row."""
    draw = np.random.default_rng(seed)
    n = days * rows
    blocks = np.repeat([f"2024-01-{day + 1:02}" for day in range(days)], rows)
    signal = draw.normal(size=(n, 3))

    def softmax(scores):
        return np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)

    if kind == "multiclass":
        y = (2 * signal + draw.gumbel(size=(n, 3))).argmax(axis=1).astype(float)
        return y, softmax(2 * signal + noise * draw.normal(size=(n, 3))), softmax(draw.normal(size=(n, 3))), blocks
    y = 3 * signal[:, 0] + draw.normal(size=n)
    return y, 3 * signal[:, 0] + noise * draw.normal(size=n), draw.normal(size=n), blocks


@pytest.mark.parametrize(("kind", "name"), OTHER_KINDS)
def test_a_metric_agrees_with_scikit_learn(kind, name):
    for seed in range(5):
        y, good, poor, _ = scored(kind, seed=seed, days=2, rows=20)
        for p in (good, np.round(poor, 1) if kind == "regression" else poor):
            assert METRICS[name](y, p) == pytest.approx(ORACLES[name](y, p), abs=1e-9)


@pytest.mark.parametrize(("kind", "name"), OTHER_KINDS)
@settings(max_examples=30, derandomize=True, deadline=None)
@given(times=st.lists(st.integers(0, 3), min_size=6, max_size=6), seed=st.integers(0, 50))
def test_a_reweighted_metric_is_that_of_the_repeated_rows(kind, name, times, seed):
    y, good, _, blocks = scored(kind, days=6, rows=8, seed=seed)
    codes = np.unique(blocks, return_inverse=True)[1]
    repeated = np.repeat(np.arange(len(y)), np.array(times)[codes])
    expected = METRICS[name](y[repeated], good[repeated])
    if np.isfinite(expected):
        found = METRICS[name].reweight(y, good, codes)(np.array([times], float))[0]
        assert found == pytest.approx(expected, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(("kind", "name"), OTHER_KINDS)
def test_the_better_model_is_better_beyond_chance_and_never_better_than_itself(kind, name):
    y, good, poor, blocks = scored(kind)
    how = {"metric": METRICS[name], "confidence": 0.95, "seed": 1}
    found = compare(y, good, poor, blocks, **how)
    assert 0 < found.low < found.difference < found.high
    same = compare(y, good, good, blocks, **how)
    assert (same.difference, same.low, same.high) == (0, 0, 0)
    bounds = interval(METRICS[name], y, good, blocks, confidence=0.95, seed=1)
    assert METRICS[name].bounds[0] <= bounds.low < bounds.value < bounds.high <= METRICS[name].bounds[1]


@pytest.mark.parametrize("name", ["log_loss", "accuracy", "macro_auc", "mae", "rmse", "r2"])
def test_the_formula_for_independent_rows_agrees_with_drawing_them_again(name):
    kind = "multiclass" if "multiclass" in METRICS[name].kinds else "regression"
    y, good, poor, _ = scored(kind, rows=30)
    draw, metric = np.random.default_rng(9), METRICS[name]
    again = [draw.integers(0, len(y), len(y)) for _ in range(200)]
    single = np.std([metric(y[i], good[i]) for i in again])
    paired = np.std([metric(y[i], good[i]) - metric(y[i], poor[i]) for i in again])
    assert metric.row_error(y, good, None) == pytest.approx(single, rel=0.2)
    assert metric.row_error(y, good, poor) == pytest.approx(paired, rel=0.2)


def test_against_the_rest_one_class_has_the_error_of_delong():
    y, good, poor, _ = scored("multiclass")
    two, p, q = (y == 1).astype(float), good[:, 1], poor[:, 1]
    pair = [np.column_stack([1 - each, each]) for each in (p, q)]
    assert METRICS["macro_auc"].row_error(two, *pair) == pytest.approx(delong(two, p, q), rel=0.01)


@pytest.mark.parametrize(
    ("name", "y", "p", "why"),
    [
        ("macro_auc", [0, 0, 2], np.full((3, 3), 1 / 3), "no outcome is class 1"),
        ("macro_f1", [0, 0, 0], np.full((3, 3), 1 / 3), "no outcome is class 1 or 2"),
        ("accuracy", [0, 1], np.array([[0.1, 0.9], [np.nan, 0.5]]), "1 of 2 predictions are not numbers"),
        ("r2", [3.0, 3.0], np.array([1.0, 2.0]), "every outcome is the same number"),
        ("mae", [], np.array([]), "there are no rows"),
    ],
)
def test_an_undefined_metric_is_nan_and_says_why(name, y, p, why):
    assert math.isnan(METRICS[name](np.array(y, float), p))
    assert why in METRICS[name].undefined(np.array(y, float), p)


def test_the_metrics_of_numbers_are_theirs_alone():
    assert set(of_kind("regression")) == {"mae", "r2", "rmse"}


def test_a_perfect_model_has_no_error_at_all():
    y = np.array([1.0, 2.0, 4.0, 8.0])
    assert METRICS["rmse"].row_error(y, y, None) == 0
    assert METRICS["r2"](y, y) == 1


# ---- what a decision is worth ------------------------------------------------------------------------------------


def test_acting_on_some_classes_is_worth_what_the_matrix_says(make_case):
    value = worth(make_case(**SEVERAL))
    p = np.array([[0.8, 0.1, 0.1], [0.6, 0.2, 0.2], [0.7, 0.3, 0.0], [0.9, 0.05, 0.05]])
    # From 0.25 on: left alone and right, acted in vain, acted rightly, missed.
    assert value(np.array([0.0, 0.0, 1.0, 2.0]), p) == pytest.approx((0 - 1 + 3 + 0) / 4)


def test_a_wrong_number_costs_by_the_unit_and_by_the_side(make_case):
    value = worth(make_case(**NUMBER))
    y, p = np.array([10.0, 10.0, 10.0]), np.array([12.0, 9.0, 10.0])
    assert value(y, p) == pytest.approx(-(2 * 1 + 1 * 3) / 3)
    assert value(y, p) == pytest.approx(-4 * sk.mean_pinball_loss(y, p, alpha=0.75))


# ---- evidence and gates ------------------------------------------------------------------------------------------


def evidence(kind, *, rival=None, **said):
    y, good, poor, blocks = scored(kind)
    constant = np.full(good.shape, 1 / 3) if kind == "multiclass" else np.full(len(y), y.mean())
    linear = "ridge" if kind == "regression" else "logistic"
    given = {"candidate": good, "baselines": {"trivial": constant, linear: poor}, **said}
    return Evidence(y=y, blocks=blocks, family="lightgbm", champion=rival, kind=kind, **given)


@pytest.mark.parametrize("kind", SAID)
def test_a_good_model_passes_the_gates_of_its_kind(make_case, kind):
    limits = {"multiclass": {"macro_auc": {"min": 0.6}}, "regression": {"r2": {"min": 0.5}}}[kind]
    case = make_case(**SAID[kind], gates={"absolute": limits, "min_rows": 100}, model={"min_positives": 10})
    _, _, poor, _ = scored(kind)
    found = examine(evidence(kind, rival=poor), case)
    assert found.outcome == "PASS"
    probable = {"calibration"} if kind == "multiclass" else set()
    assert {verdict.gate for verdict in found.verdicts} == {"absolute", "baselines", "champion"} | probable
    assert set(found.metrics) == {*of_kind(kind), "value"}
    assert 0 < found.positives < found.n


@pytest.mark.parametrize("kind", SAID)
def test_an_equal_model_does_not_replace_the_champion(make_case, kind):
    case = make_case(**SAID[kind], gates={"min_rows": 100}, model={"min_positives": 10})
    _, good, poor, _ = scored(kind)
    assert champion.gate(evidence(kind, rival=good), case).outcome == "FAIL"
    assert champion.gate(evidence(kind, candidate=poor, rival=good), case).outcome == "FAIL"
    assert baselines.gate(evidence(kind, candidate=poor), case).outcome != "PASS"


def test_a_limit_that_is_broken_fails_and_a_rare_class_is_too_little(make_case):
    tight = make_case(**NUMBER, gates={"absolute": {"rmse": {"max": 0.1}}, "min_rows": 100})
    assert "rmse is 1.0" in absolute.gate(evidence("regression"), tight).reason
    scarce = make_case(
        **SEVERAL, gates={"absolute": {"accuracy": {"min": 0.1}}, "min_rows": 100}, model={"min_positives": 400}
    )
    assert "held-out rows of the rarer outcome" in absolute.gate(evidence("multiclass"), scarce).reason


def test_a_margin_is_a_share_of_a_loss_and_itself_for_what_should_be_high(make_case):
    gates = make_case(gates={"margin": 0.02}).gates
    y, good, poor, blocks = scored("regression")
    how = {"confidence": 0.95, "seed": 1}
    loss = compare(y, good, poor, blocks, metric=METRICS["rmse"], **how)
    share = compare(y, good, poor, blocks, metric=METRICS["r2"], **how)
    assert margin_of(gates, loss) == pytest.approx(0.02 * loss.reference)
    assert margin_of(gates, share) == 0.02


@pytest.mark.parametrize(
    ("kind", "y", "candidate", "error", "why"),
    [
        ("multiclass", [0.0, 3.0], np.full((2, 3), 1 / 3), ValueError, "the position of a class"),
        ("multiclass", [0.0, 1.0], np.array([0.5, 0.5]), ValueError, "predictions for"),
        (
            "multiclass",
            [0.0, 1.0],
            np.array([[0.5, 0.5, 0], [2, -1, 0]]),
            ModelRejected,
            "1 of 2 values that are not",
        ),
        ("regression", [0.0, np.inf], np.array([0.0, 1.0]), ValueError, "a finite number"),
        ("regression", [0.0, 7.0], np.array([0.0, np.nan]), ModelRejected, "values that are not finite numbers"),
    ],
)
def test_rows_that_are_not_of_the_kind_are_refused(kind, y, candidate, error, why):
    with pytest.raises(error, match=why):
        Evidence(y=np.array(y), blocks=np.array(["a", "b"]), candidate=candidate, family="lightgbm", kind=kind)

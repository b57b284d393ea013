"""Estimates before labels: exact where they can be, right where the truth is known, and unsure where they must be."""

import runpy
from pathlib import Path

import numpy as np
import pytest

from updraft.evidence.metrics import METRICS
from updraft.monitor import estimation
from updraft.monitor.estimation import Rows, estimate
from updraft.monitor.performance import WATCHED
from updraft.monitor.recalibrated import design, probabilities, recalibrate
from updraft.monitor.residuals import residuals

STUDY = runpy.run_path(str(Path(__file__).parents[1] / "bench" / "estimation_study.py"))
BINARY = STUDY["use_case"]("binary")


def drawn(n, days=7, seed=1, slope=1.0, shift=0.0, luck=0.0, about=0.0, width=1.5):
    """Rows whose labels come true as `slope * log-odds + shift` says, with a luck of each day's own."""
    random = np.random.default_rng(seed)
    logit, day = random.normal(about, width, n), np.arange(n) % days
    truth = slope * logit + shift + random.normal(0, luck, days)[day] if luck else slope * logit + shift
    y = (random.random(n) < 1 / (1 + np.exp(-truth))).astype(float)
    return Rows(1 / (1 + np.exp(-logit)), day, np.empty((n, 0)), y)


# ---- what probabilities are worth --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("slope", "shift"),
    [
        pytest.param(1.0, 0.0, id="right"),
        pytest.param(0.5, 0.0, id="too sure"),
        pytest.param(1.0, -1.0, id="too high"),
        pytest.param(-1.0, 0.5, id="the wrong way round"),
    ],
)
def test_slope_and_shift_are_found_within_their_error(slope, shift):
    rows = drawn(20_000, slope=slope, shift=shift)
    found = recalibrate(rows.p, rows.y, rows.blocks, ahead=7)
    assert np.abs(found.at - [slope, shift]).max() < 4 * np.sqrt(np.diag(found.covariance)).max() < 0.2


def test_days_with_a_luck_of_their_own_make_the_fit_less_sure_and_a_single_day_ahead_even_less():
    calm, lucky = drawn(7_000), drawn(7_000, luck=0.5)
    sure = [np.trace(recalibrate(r.p, r.y, r.blocks, ahead=7).covariance) for r in (calm, lucky)]
    assert sure[1] > 4 * sure[0]
    assert np.trace(recalibrate(lucky.p, lucky.y, lucky.blocks, ahead=1).covariance) > 3 * sure[1]


@pytest.mark.parametrize(
    ("p", "y"),
    [
        pytest.param([0.2], [0.0], id="one row"),
        pytest.param([0.0, 1.0, 0.0], [1.0, 0.0, 0.0], id="certain and wrong"),
        pytest.param([0.4, 0.6, 0.7], [0.0, 1.0, 1.0], id="told apart without a fault"),
        pytest.param([[0.2, 0.3, 0.5], [1.0, 0.0, 0.0]], [2.0, 0.0], id="a class that never came"),
    ],
)
def test_a_few_labels_do_not_run_away(p, y):
    found = recalibrate(np.array(p), np.array(y), np.zeros(len(y)), ahead=1)
    assert np.abs(found.at).max() < 5
    assert np.isfinite(found.covariance).all()
    assert np.allclose(probabilities(design(np.array(p)), found.at).sum(axis=1), 1.0)


# ---- expected metrics --------------------------------------------------------------------------------------------


def test_of_calibrated_probabilities_the_expected_metrics_are_those_of_the_formulas():
    """Brier: the mean of p(1 - p). Log loss: the mean entropy. AUC: the share of pairs, weighed by p and 1 - p."""
    ahead, known = drawn(4_000, seed=2), drawn(20_000)
    p = ahead.p
    found = estimate(BINARY, Rows(p, ahead.blocks, ahead.x), known, WATCHED["binary"])
    assert found["brier"].value == pytest.approx((p * (1 - p)).mean(), abs=0.004)
    assert found["log_loss"].value == pytest.approx(-(p * np.log(p) + (1 - p) * np.log1p(-p)).mean(), abs=0.012)
    order = np.argsort(p)
    below = np.concatenate([[0.0], np.cumsum((1 - p)[order])[:-1]])
    assert found["auc"].value == pytest.approx((p[order] * below).sum() / (p.sum() * (1 - p).sum()), abs=0.006)
    assert all(each.low < each.value < each.high for each in found.values())


def test_of_several_classes_accuracy_is_the_mean_of_the_highest_probability():
    case = STUDY["use_case"]("multiclass")
    rows = STUDY["world"]("multiclass", "calm", np.random.default_rng(1), rows=600, days=14)
    ahead, known = STUDY["part"](rows, 7, 14, labels=False), STUDY["part"](rows, 0, 7)
    found = estimate(case, ahead, known, WATCHED["multiclass"])
    assert found["accuracy"].value == pytest.approx(ahead.p.max(axis=1).mean(), abs=0.02)
    assert set(found) == {"macro_auc", "accuracy", "log_loss"}


def test_an_estimate_follows_rows_that_are_harder_to_tell_apart_though_nothing_else_changed():
    """Covariate shift without harm to the model: the AUC falls, the holdout's value misleads, the estimate does not."""
    known, ahead = drawn(6_000), drawn(6_000, seed=3, width=0.6)
    true, before = (METRICS["auc"](r.y, r.p) for r in (ahead, known))
    found = estimate(BINARY, Rows(ahead.p, ahead.blocks, ahead.x), known, ("auc",))["auc"]
    assert before - true > 0.1
    assert abs(found.value - true) < 0.02
    assert found.low < true < found.high


def test_a_world_that_turned_after_the_last_labels_is_not_seen_which_is_why_there_is_a_record():
    known, ahead = drawn(6_000), drawn(6_000, seed=3, slope=-0.5)
    found = estimate(BINARY, Rows(ahead.p, ahead.blocks, ahead.x), known, ("auc",))["auc"]
    assert found.value - METRICS["auc"](ahead.y, ahead.p) > 0.2


def test_errors_of_numbers_are_expected_from_the_features_they_depend_on():
    case = STUDY["use_case"]("regression")
    rows = STUDY["world"]("regression", "mix", np.random.default_rng(4), rows=300)
    known, ahead = STUDY["part"](rows, 0, 14), STUDY["part"](rows, 56, 63)
    found = estimate(case, STUDY["part"](rows, 14, 21, labels=False), known, WATCHED["regression"])
    true = STUDY["part"](rows, 14, 21)
    for name in WATCHED["regression"]:
        assert found[name].low < METRICS[name](true.y, true.p) < found[name].high, name
    assert ahead.y is not None


def test_sizes_of_errors_are_learnt_and_what_is_left_has_no_size():
    random = np.random.default_rng(1)
    x, day = random.uniform(0, 1, (6_000, 1)), np.arange(6_000) % 7
    error = (0.5 + 2 * (x[:, 0] > 0.5)) * random.normal(size=6_000)
    ahead = np.array([[0.25], [0.75]])
    found = residuals(x, error, day, ahead, partitions=7, seed=1, threads=1)
    usual = np.sqrt(2 / np.pi)
    assert found.sizes == pytest.approx([0.5 * usual, 2.5 * usual], rel=0.15)
    assert np.abs(found.left).mean() == pytest.approx(1.0, abs=0.05)
    assert 0 < found.doubt < 0.05


@pytest.mark.parametrize("error", [[0.0, 0.0], [1.0], [-3.0, 2.0, 0.5]], ids=["never wrong", "one row", "few rows"])
def test_few_errors_give_one_size_for_all(error):
    n = len(error)
    how = {"partitions": 1, "seed": 1, "threads": 1}
    found = residuals(np.zeros((n, 1)), np.array(error), np.arange(n), np.zeros((3, 1)), **how)
    assert np.isfinite(found.sizes).all()
    assert len(set(found.sizes)) == 1
    assert np.isfinite(found.draw(np.zeros(3), np.random.default_rng(1))).all()


def test_no_rows_and_rows_of_one_class_have_no_expected_auc_and_the_reason_says_so():
    known = drawn(1_000)
    nothing = Rows(np.empty(0), np.empty(0), np.empty((0, 0)))
    assert estimate(BINARY, nothing, known, ("auc",))["auc"].why == "no row was scored"
    single = Rows(np.array([0.5]), np.array([0]), np.empty((1, 0)))
    found = estimate(BINARY, single, known, ("auc", "brier"))
    assert np.isnan(found["auc"].value)
    assert found["auc"].why.startswith("auc is undefined")
    assert found["brier"].value == pytest.approx(0.25, abs=0.03)


def test_rows_beyond_the_most_are_sampled_the_same_way_every_time(monkeypatch):
    known, ahead = drawn(3_000), drawn(3_000, seed=2)
    monkeypatch.setattr(estimation, "MOST_ROWS", 1_000)
    once, again = (estimate(BINARY, ahead, known, ("auc",)) for _ in range(2))
    assert once == again
    assert len(ahead.sampled(1).p) == 1_000


@pytest.mark.slow
@pytest.mark.parametrize("kind", sorted(WATCHED))
def test_estimates_are_nearer_than_the_holdout_and_their_bounds_hold(kind):
    for scenario in ("mix", "level"):
        found = STUDY["study"](kind, scenario, 3, rows=150, days=49)
        headline = found[WATCHED[kind][0]]
        assert headline["estimated"] < headline["stays"]
        assert headline["held"] >= 0.8, (scenario, found)


@pytest.mark.slow
def test_after_the_world_turned_the_record_says_not_to_believe_estimates():
    assert STUDY["study"]("multiclass", "turned", 3, rows=150, days=49)["macro_auc"]["distrusted"] == 1.0
    assert STUDY["study"]("multiclass", "calm", 3, rows=150, days=49)["macro_auc"]["distrusted"] == 0.0

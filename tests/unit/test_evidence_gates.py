"""Each gate on tiny evidence: what passes, what fails, and what the rows cannot tell."""

import math
from dataclasses import replace

import numpy as np
import pytest
from tests.bench import aa_study

from updraft.errors import ModelRejected
from updraft.evidence import Evidence, gates
from updraft.evidence.gates import absolute, baselines, champion
from updraft.spec.model import UseCase


def case(*, metric="auc", absolute=None, min_rows=100, min_positives=10, **gates) -> UseCase:
    made = aa_study.use_case(metric, absolute=absolute or {}, min_rows=min_rows, **gates)
    return made.model_copy(update={"model": made.model.model_copy(update={"min_positives": min_positives})})


def evidence(*, days=14, rows=100, family="lightgbm", champion_noise=None, logistic_noise=2.0, noise=0.1) -> Evidence:
    """A candidate as good as its noise is small, and rivals likewise."""
    rng = np.random.default_rng(8)
    signal = rng.normal(0, 1.5, days * rows)
    y = (rng.random(days * rows) < 1 / (1 + np.exp(1 - signal))).astype(float)

    def model(spread):
        return 1 / (1 + np.exp(1 - signal - rng.normal(0, spread, len(y))))

    return Evidence(
        y=y,
        blocks=np.repeat([f"2013-01-{day + 1:02}" for day in range(days)], rows),
        candidate=model(noise),
        family=family,
        baselines={"trivial": np.full(len(y), 0.3), "logistic": model(logistic_noise)},
        champion=None if champion_noise is None else model(champion_noise),
        champion_digest=None if champion_noise is None else "sha256:champion",
    )


@pytest.mark.parametrize(
    ("limits", "outcome", "says"),
    [
        pytest.param({"auc": {"min": 0.6}}, "PASS", "within", id="one met"),
        pytest.param({"auc": {"min": 0.6}, "brier": {"max": 0.25}}, "PASS", "within", id="both met"),
        pytest.param({"auc": {"min": 0.99}}, "FAIL", "at least 0.99", id="too low"),
        pytest.param({"brier": {"max": 0.01}}, "FAIL", "at most 0.01", id="too high"),
        pytest.param({"auc": {"max": 0.7}}, "FAIL", "at most 0.7", id="too good to be true"),
        pytest.param({"auc": {"min": 0.6}, "log_loss": {"max": 0.1}}, "FAIL", "log_loss", id="one of two"),
    ],
)
def test_every_absolute_limit_must_hold(limits, outcome, says):
    verdict = absolute.gate(evidence(), case(absolute=limits))
    assert verdict.outcome == outcome
    assert says in verdict.reason


def test_without_limits_there_is_nothing_to_say():
    assert absolute.gate(evidence(), case()) is None


@pytest.mark.parametrize("gate", [absolute.gate, baselines.gate, champion.gate])
@pytest.mark.parametrize(
    ("asked", "says"),
    [({"min_rows": 1401}, "1400 held-out rows, and `gates.min_rows` asks for 1401"), ({"min_positives": 700}, "rarer")],
)
def test_too_few_rows_are_insufficient_however_good_the_numbers(gate, asked, says):
    verdict = gate(evidence(champion_noise=3.0), case(absolute={"auc": {"min": 0.5}}, **asked))
    assert verdict.outcome == "INSUFFICIENT"
    assert says in verdict.reason


def test_a_candidate_that_beats_every_simpler_model_passes():
    verdict = baselines.gate(evidence(), case())
    assert verdict.outcome == "PASS"
    assert verdict.numbers["trivial_auc_low"] > 0
    assert verdict.numbers["logistic_auc_low"] > 0


@pytest.mark.parametrize("metric", ["auc", "brier", "log_loss"])
def test_trees_that_are_worse_than_the_logistic_regression_fail(metric):
    verdict = baselines.gate(evidence(noise=2.0, logistic_noise=0.1), case(metric=metric))
    assert verdict.outcome == "FAIL"
    assert f"worse than logistic in {metric}" in verdict.reason


def test_trees_that_are_no_better_than_the_logistic_regression_do_not_pass():
    same = evidence()
    same = replace(same, baselines={**same.baselines, "logistic": same.candidate})
    assert baselines.gate(same, case()).outcome == "FAIL"


def test_a_logistic_candidate_need_not_beat_the_trees():
    rows = evidence(family="logistic", noise=1.0)
    better_trees = {"trivial": rows.baselines["trivial"], "lightgbm": rows.y * 0.8 + 0.1}
    assert baselines.gate(replace(rows, baselines=better_trees), case()).outcome == "PASS"


@pytest.mark.parametrize("family", ["lightgbm", "logistic"])
def test_a_candidate_that_knows_nothing_does_not_pass(family):
    rows = evidence(family=family)
    noise = np.random.default_rng(2).random(len(rows.y))
    assert baselines.gate(replace(rows, candidate=noise), case()).outcome != "PASS"


@pytest.mark.parametrize(
    ("family", "trained", "says"),
    [
        ("lightgbm", ["trivial"], "no logistic baseline"),
        ("logistic", [], "no trivial baseline"),
        ("trivial", ["logistic"], "nothing is simpler"),
    ],
)
def test_a_baseline_that_was_not_trained_cannot_have_been_beaten(family, trained, says):
    rows = evidence(family=family)
    verdict = baselines.gate(replace(rows, baselines={name: rows.baselines[name] for name in trained}), case())
    assert verdict.outcome == "INSUFFICIENT"
    assert says in verdict.reason


def test_without_a_champion_there_is_nothing_to_compare():
    assert champion.gate(evidence(), case()) is None


def test_a_candidate_that_is_better_replaces_the_champion():
    assert champion.gate(evidence(champion_noise=2.0), case()).outcome == "PASS"


def test_a_candidate_that_is_worse_fails():
    verdict = champion.gate(evidence(noise=2.0, champion_noise=0.1), case())
    assert verdict.outcome == "FAIL"
    assert "worse than champion in auc" in verdict.reason


def test_the_champion_does_not_replace_itself():
    rows = evidence()
    verdict = champion.gate(replace(rows, champion=rows.candidate), case())
    assert verdict.outcome == "FAIL"
    assert "no evidence" in verdict.reason


@pytest.mark.parametrize(
    ("noise", "demand", "outcome"),
    [
        pytest.param(0.1, "better", "PASS", id="better, as claimed"),
        pytest.param(0.1, "not_worse", "PASS", id="better, though less was claimed"),
        pytest.param(0.4, "better", "FAIL", id="equal, and claims to be better"),
        pytest.param(0.4, "not_worse", "PASS", id="equal, and claims no more"),
        pytest.param(2.0, "not_worse", "FAIL", id="worse"),
    ],
)
def test_a_candidate_is_held_to_what_it_claims(noise, demand, outcome):
    rows = evidence(days=26, rows=700, noise=noise, champion_noise=0.4)
    verdict = champion.gate(rows, case(demand=demand, margin=0.03))
    assert verdict.outcome == outcome
    assert {f"champion_{metric}_low" for metric in ("auc", "brier", "log_loss")} <= set(verdict.numbers)


def test_better_ranking_with_ruined_probabilities_fails():
    rows = evidence(champion_noise=1.0)
    overconfident = rows.candidate**4
    verdict = champion.gate(replace(rows, candidate=overconfident), case())
    assert verdict.numbers["champion_auc_low"] > 0
    assert verdict.outcome == "FAIL"
    assert "log_loss" in verdict.reason


def test_few_rows_that_cannot_tell_are_insufficient_and_say_how_many_would_do():
    verdict = champion.gate(evidence(rows=25, noise=1.0, champion_noise=1.0), case())
    assert verdict.outcome == "INSUFFICIENT"
    assert verdict.numbers["champion_auc_rows_needed"] > 350
    assert "rows could show a difference of 0.01" in verdict.reason


def test_many_rows_that_show_nothing_fail():
    verdict = champion.gate(evidence(rows=400, noise=0.3, champion_noise=0.3), case())
    assert verdict.outcome == "FAIL"
    assert "no evidence" in verdict.reason


@pytest.mark.parametrize("value", [math.nan, math.inf, -0.1, 1.1])
@pytest.mark.parametrize("role", ["candidate", "champion", "logistic"])
def test_what_is_not_a_probability_is_refused_by_the_role_that_gave_it(role, value):
    rows = evidence(champion_noise=1.0)
    broken = rows.roles()[role].copy()
    broken[3] = value
    change = {role: broken} if role != "logistic" else {"baselines": {"logistic": broken}}
    with pytest.raises(ModelRejected, match=f"The {role} gave 1 of 1400"):
        replace(rows, **change)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        pytest.param({"candidate": np.zeros(3)}, "candidate gave", id="too few probabilities"),
        pytest.param({"blocks": np.zeros(3)}, "key of its partition", id="too few partition keys"),
        pytest.param({"y": np.full(1400, 0.5)}, "outcome of 0 or 1", id="an outcome of a half"),
        pytest.param({"y": np.full(1400, np.nan)}, "outcome of 0 or 1", id="an outcome that is missing"),
    ],
)
def test_rows_that_do_not_line_up_are_an_error_of_the_caller(change, says):
    with pytest.raises(ValueError, match=says):
        replace(evidence(), **change)


@pytest.mark.parametrize("name", sorted(gates.discover()))
def test_a_gate_answers_in_its_own_name_or_not_at_all(name):
    gate = gates.discover()[name]
    for rows in (evidence(), evidence(champion_noise=1.0), evidence(rows=2)):
        verdict = gate(rows, case(absolute={"auc": {"min": 0.6}}))
        assert verdict is None or (verdict.gate == name and verdict.reason)

"""The gate on fairness: a limit on gaps, never further apart than the champion; small groups never pass."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from tests import planted
from tests.bench import aa_study
from tests.two_groups import FEATURES, THRESHOLD, case, evidence

from updraft.evidence import Evidence
from updraft.evidence.gates import fairness as gate


@pytest.mark.parametrize(
    ("favour", "limits", "outcome", "says"),
    [
        pytest.param(
            0.0, {"equalized_odds": 0.1}, "PASS", "true_positive_rate by sex differs by no more than 0.1", id="alike"
        ),
        pytest.param(
            0.0,
            {"demographic_parity": 0.1},
            "PASS",
            "selection_rate by sex differs by no more than 0.1",
            id="alike, parity",
        ),
        pytest.param(1.5, {"equalized_odds": 0.1}, "FAIL", "by sex differs by more than 0.1 (F against M", id="apart"),
        pytest.param(1.5, {"demographic_parity": 0.1}, "FAIL", "selection_rate by sex differs", id="apart, parity"),
        pytest.param(1.5, {"demographic_parity": 0.9}, "PASS", "", id="apart, and that is allowed"),
    ],
)
def test_groups_may_be_as_far_apart_as_the_limit(favour, limits, outcome, says):
    verdict = gate.gate(evidence(favour, champion=favour), case(margin=0.1, **limits))
    assert verdict.outcome == outcome
    assert says in verdict.reason


def test_both_error_rates_count_and_each_is_told():
    numbers = gate.gate(evidence(), case()).numbers
    for rate in ("true_positive_rate", "false_positive_rate"):
        found = [numbers[f"{rate} by sex: {name}"] for name in ("low", "gap", "high")]
        assert found == sorted(found)
        assert numbers[f"{rate} by sex: gap"] == pytest.approx(
            abs(numbers[f"{rate} by sex: F"] - numbers[f"{rate} by sex: M"])
        )


def test_equal_accuracy_hides_what_equalized_odds_shows():
    rng = np.random.default_rng(5)
    n = 8000
    group, y = np.where(rng.random(n) < 0.5, "F", "M"), (rng.random(n) < 0.5).astype(float)
    # One group's mistakes are all missed, the other's all false alarms; both are right nine times in ten.
    wrong = rng.random(n) < 0.2
    acted = np.where(
        (group == "F") & (y == 1) & wrong, False, np.where((group == "M") & (y == 0) & wrong, True, y == 1)
    )
    frame = pd.DataFrame({"sex": group, "age": 30.0, "signal": 0.0})
    rows = Evidence(y=y, blocks=np.arange(n) // 500, candidate=acted * 0.9, family="lightgbm", rows=frame)
    right = [(acted == (y == 1))[group == name].mean() for name in ("F", "M")]
    assert right[0] == pytest.approx(right[1], abs=0.02)
    assert gate.gate(rows, case()).outcome == "FAIL"


def test_a_candidate_within_the_limit_must_not_be_further_apart_than_the_champion():
    verdict = gate.gate(evidence(favour=1.0, champion=0.0), case(equalized_odds=0.9, margin=0.05))
    assert verdict.outcome == "FAIL"
    assert "worse than champion in gap of" in verdict.reason
    assert gate.gate(evidence(favour=0.0, champion=1.0), case(equalized_odds=0.9, margin=0.05)).outcome == "PASS"


@pytest.mark.parametrize(
    ("drawn", "fairness", "says"),
    [
        pytest.param({"women": 0.01}, {}, "`gates.fairness.min_rows` asks for 100; about", id="a small group"),
        pytest.param({"women": 0.0}, {}, "sex is the same in all held-out rows", id="a single group"),
        pytest.param({"rows": 60}, {"equalized_odds": 0.05, "min_rows": 10}, "rows could show", id="too few rows"),
        pytest.param({"days": 1, "rows": 2000}, {}, "partitions are too few", id="one partition"),
    ],
)
def test_what_cannot_be_told_is_insufficient_and_says_what_is_missing(drawn, fairness, says):
    verdict = gate.gate(evidence(**drawn), case(**fairness))
    assert verdict.outcome == "INSUFFICIENT"
    assert says in verdict.reason


def test_numbers_are_cut_into_groups():
    verdict = gate.gate(evidence(), case(by=(), cut={"age": [30, 60]}, equalized_odds=0.2, margin=0.2))
    assert verdict.outcome == "PASS"
    assert "true_positive_rate by age: 30 to below 60" in verdict.numbers


def test_rows_without_a_group_belong_to_none():
    rows = evidence()
    frame = rows.rows.assign(sex=rows.rows["sex"].where(np.arange(len(rows.y)) % 3 > 0))
    verdict = gate.gate(replace(rows, rows=frame), case())
    assert not any("missing" in name for name in verdict.numbers)


def test_a_champion_acts_from_its_own_threshold_on():
    rows = replace(evidence(), champion_threshold=0.0)
    assert rows.decisions(case())["champion"].all()
    assert (rows.decisions(case())["candidate"] == (rows.candidate >= THRESHOLD)).all()


@pytest.mark.parametrize("change", [{"rows": None}, {"gates": "none"}])
def test_the_gate_does_not_apply_without_rows_or_groups(change):
    if "gates" in change:
        assert gate.gate(evidence(), aa_study.use_case("log_loss", FEATURES)) is None
    else:
        assert gate.gate(replace(evidence(), **change), case()) is None


def test_too_few_rows_altogether_are_insufficient():
    assert "`gates.min_rows`" in gate.gate(evidence(), case(min_rows=10**6)).reason


KINDS = ("multiclass", "regression")


def of_kind(kind, favour=0.0, champion=0.0) -> Evidence:
    """Groups by `mark` alike in outcomes; models add to the number that stands for one of them."""
    rows = planted.clean(4, per_day=200)
    draw, first = np.random.default_rng(4), (rows["mark"] == "a").to_numpy()
    truth = 2 + rows["signal"].to_numpy()
    noisy = truth + draw.normal(0, 0.3, len(rows))

    def predicted(by):
        number = truth + draw.normal(0, 0.3, len(rows)) + by * first
        if kind == "regression":
            return number
        scores = np.exp(2 * np.column_stack([1.5 - number, 0 * number, number - 2.5]))
        return scores / scores.sum(axis=1, keepdims=True)

    y = noisy if kind == "regression" else np.searchsorted([1.5, 2.5], noisy).astype(float)
    scored = {"candidate": predicted(favour), "champion": predicted(champion), "rows": rows}
    return Evidence(y=y, blocks=rows["partition"].to_numpy(object), family="lightgbm", kind=kind, **scored)


def case_of(kind, **fairness):
    return planted.case(kind=kind, fairness={"by": ["mark"], "margin": 0.1, **fairness})


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("limit", "says"),
    [
        ("demographic_parity", "selection_rate by mark differs by more than 0.1 (a against "),
        ("equalized_odds", "false_positive_rate by mark differs by more than 0.1 (a against "),
    ],
)
def test_a_group_of_any_kind_of_problem_that_is_acted_on_more_often_is_named(kind, limit, says):
    verdict = gate.gate(of_kind(kind, favour=1.0, champion=1.0), case_of(kind, **{limit: 0.1}))
    assert (verdict.outcome, says in verdict.reason) == ("FAIL", True), verdict.reason
    assert gate.gate(of_kind(kind), case_of(kind, **{limit: 0.1})).outcome == "PASS"


@pytest.mark.parametrize("kind", KINDS)
def test_a_candidate_of_any_kind_must_not_be_further_apart_than_the_champion(kind):
    asked = case_of(kind, demographic_parity=0.9)
    verdict = gate.gate(of_kind(kind, favour=1.0), asked)
    assert verdict.outcome == "FAIL"
    assert "worse than champion in gap of selection_rate by mark" in verdict.reason
    assert gate.gate(of_kind(kind, champion=1.0), asked).outcome == "PASS"


def test_classes_that_are_acted_on_count_together():
    rows = of_kind("multiclass")
    one = planted.case(kind="multiclass")
    two = one.model_copy(update={"problem": one.problem.model_copy(update={"act_on": ("middle", "high")})})
    assert (rows.decisions(one)["candidate"] == (rows.candidate[:, 2] >= THRESHOLD)).all()
    assert (rows.decisions(two)["candidate"] == (rows.candidate[:, 1:].sum(axis=1) >= THRESHOLD)).all()


@pytest.mark.parametrize("kind", KINDS)
def test_the_gap_is_that_of_fairlearn_on_what_acting_was_right_about(kind):
    from fairlearn import metrics as fairlearn

    rows = of_kind(kind, favour=0.5)
    came, acted = rows.y >= 2, rows.candidate >= 2
    if kind == "multiclass":
        came, acted = rows.y == 2, rows.candidate[:, 2] >= THRESHOLD
    numbers = gate.gate(rows, case_of(kind, equalized_odds=0.1)).numbers
    told = fairlearn.equalized_odds_difference(came, acted, sensitive_features=rows.rows["mark"])
    gaps = [numbers[f"{rate} by mark: gap"] for rate in ("true_positive_rate", "false_positive_rate")]
    assert max(gaps) == pytest.approx(told)

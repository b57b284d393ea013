"""What is planted among the errors is found by name, judged on rows the search has not seen, and noise is not found."""

import runpy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from updraft.evidence import Evidence
from updraft.evidence.gates import weak_slices as gate
from updraft.evidence.weakness import halves, suspects

BENCH = Path(__file__).parents[1] / "bench"
STUDY = runpy.run_path(str(BENCH / "aa_study.py"))
spoil = runpy.run_path(str(BENCH / "coverage_study.py"))["spoil"]
FEATURES = {"airport": {"type": "category"}, "hour": {"type": "number"}}
KINDS = {"airport": "category", "hour": "number"}


def frame(rng, n):
    return pd.DataFrame({
        "airport": pd.Series(rng.choice(["EWR", "JFK", "LGA", None], n, p=[0.4, 0.3, 0.2, 0.1]), dtype=object),
        "hour": np.where(rng.random(n) < 0.1, np.nan, rng.integers(0, 24, n)),
        "signal": rng.normal(0, 1, n),
    })  # fmt: skip


@pytest.mark.parametrize(
    ("weak", "says"),
    [
        pytest.param(lambda f: f["airport"] == "LGA", "airport is LGA", id="a level"),
        pytest.param(lambda f: f["airport"].isna(), "airport is missing", id="missing levels"),
        pytest.param(lambda f: f["hour"] >= 20, "hour is above 19.5", id="large numbers"),
        pytest.param(lambda f: (f["hour"] >= 6) & (f["hour"] < 9), "hour is above 5.5 and at most 8.5", id="a range"),
        pytest.param(lambda f: (f["airport"] == "JFK") & (f["hour"] < 12), "airport is JFK", id="two features"),
    ],
)
def test_the_part_in_which_errors_are_large_is_found_by_name(weak, says):
    rng = np.random.default_rng(1)
    rows = frame(rng, 6000)
    planted = weak(rows).to_numpy()
    found = suspects(rows, KINDS, rng.normal(0, 0.2, 6000) + planted - 0.2, np.arange(6000) < 3000)
    assert says in found[0].name
    overlap = (found[0].at & planted).sum() / (found[0].at | planted).sum()
    assert overlap > 0.9


def planted(rng, n=2000):
    """Rows whose errors are larger in two places."""
    rows = frame(rng, n)
    return rows, rng.normal(0, 1, n) + (rows["airport"] == "LGA") + (rows["hour"] > 20) - 0.3, np.arange(n) < n // 2


def test_parts_cover_no_row_twice_and_each_is_worse_than_it_should_be():
    rows, errors, search = planted(np.random.default_rng(2))
    found = suspects(rows, KINDS, errors.to_numpy(), search)
    assert len(found) > 1
    assert np.sum([part.at for part in found], axis=0).max() == 1
    assert all(errors[part.at & search].mean() > 0 for part in found)


def test_the_search_sees_nothing_of_the_other_half():
    rows, errors, search = planted(np.random.default_rng(3))
    other = np.where(search, errors, 99.0)
    told = [[part.name for part in suspects(rows, KINDS, each, search)] for each in (errors.to_numpy(), other)]
    assert told[0] == told[1] != []


def test_noise_is_not_cut_into_parts():
    rng = np.random.default_rng(4)
    rows = frame(rng, 4000)
    assert suspects(rows, KINDS, rng.normal(0.1, 1, 4000), np.arange(4000) < 2000) == []


def test_levels_that_came_up_later_and_huge_numbers_do_no_harm():
    hours = np.r_[np.full(50, 1e149), np.zeros(50), np.arange(100.0)]
    rows = pd.DataFrame({"airport": ["EWR"] * 100 + ["NEW"] * 100, "hour": hours})
    errors = np.where(hours > 1e100, 1.0, -1.0)
    (found,) = suspects(rows, KINDS, errors, np.arange(200) < 100)
    assert found.at.tolist() == (hours > 1e100).tolist()


def test_the_older_partitions_are_searched_and_the_newer_judge():
    search, judge = halves(np.array(["d3", "d1", "d2", "d1", "d5", "d4"]))
    assert search.tolist() == [False, True, True, True, False, False]
    assert (search ^ judge).all()


# ---- the gate -------------------------------------------------------------------------------------------------------


def evidence(weak=None, seed=3, noise=1.6, **drawn):
    rng = np.random.default_rng(seed)
    pair = STUDY["pair"](rng, **{"days": 14, "rows": 600, "noise": STUDY["NOISE"], **drawn})
    rows = frame(rng, len(pair.y))
    where = np.full(len(rows), False) if weak is None else weak(rows).to_numpy()
    return replace(pair, candidate=spoil(pair.candidate, where, rng, noise), rows=rows)


CASE = STUDY["use_case"]("log_loss", FEATURES, min_rows=500)


def test_an_undeclared_weak_slice_is_told_with_its_size():
    verdict = gate.gate(evidence(lambda rows: rows["airport"] == "LGA"), CASE)
    assert verdict.reason.startswith("worse than champion in brier where airport is LGA")
    assert verdict.numbers["weak"] == 1
    assert verdict.numbers["airport is LGA: worse_by_at_least"] > 0


def test_equal_models_are_seldom_called_weak_somewhere():
    found = [gate.gate(evidence(seed=seed, rows=100), CASE).numbers["weak"] for seed in range(40)]
    assert np.mean(np.array(found) > 0) <= 0.1


def test_a_part_too_small_to_judge_is_counted():
    few = gate.gate(evidence(lambda rows: rows["hour"] < 4, rows=90, noise=4.0), CASE)
    assert few.numbers["too_small_to_judge"] == 1


@pytest.mark.parametrize("change", [{"rows": None}, {"champion": None}, {"blocks": np.zeros(8711)}])
def test_the_gate_does_not_apply_without_rows_a_rival_or_partitions(change):
    whole = evidence()
    change = {"blocks": np.zeros(len(whole.y))} if "blocks" in change else change
    assert gate.gate(replace(whole, **change), CASE) is None


# ---- classes and numbers ---------------------------------------------------------------------------------------------


def of_kind(kind, weak=None, seed=3, rows=200, days=14):
    """Evidence of two equally good models, of which the candidate errs more where `weak` says."""
    rng = np.random.default_rng(seed)
    n = days * rows
    found, truth = frame(rng, n), rng.normal(0, 1, n)
    worse = np.full(n, 0.0) if weak is None else weak(found).to_numpy() * 1.0

    def predicted(more):
        number = truth + rng.normal(0, 0.4, n) + more * rng.normal(0, 1.2, n)
        if kind == "regression":
            return number
        scores = np.exp(np.column_stack([-2 * number, 0 * number, 2 * number]))
        return scores / scores.sum(axis=1, keepdims=True)

    noisy = truth + rng.normal(0, 0.3, n)
    y = noisy if kind == "regression" else np.searchsorted([-0.5, 0.5], noisy).astype(float)
    how = {"candidate": predicted(worse), "champion": predicted(0.0), "family": "lightgbm", "kind": kind}
    return Evidence(y=y, blocks=np.repeat(np.arange(days), rows), rows=found, **how)


JUDGED_BY = {"multiclass": "log_loss", "regression": "rmse"}
OF_KIND = {
    "multiclass": {"problem": {"kind": "multiclass", "act_on": ["c"]}, "label": {"classes": ["a", "b", "c"]}},
    "regression": {"problem": {"kind": "regression", "value": None, "cost": {"over": 1, "under": 1, "act_from": 1}}},
}


@pytest.fixture(params=sorted(JUDGED_BY))
def kind(request):
    return request.param


@pytest.fixture
def case_of(make_case, kind):
    features = {"airport": {"type": "category"}, "hour": {"type": "number"}}
    gates = {"min_rows": 500, "slices": {"min_rows": 200}}
    return make_case(**OF_KIND[kind], features=features, gates=gates, model={"min_positives": 20})


def test_a_weak_slice_of_classes_or_of_a_number_is_told_by_the_loss_of_the_kind(kind, case_of):
    verdict = gate.gate(of_kind(kind, lambda rows: rows["airport"] == "LGA"), case_of)
    assert verdict.reason.startswith(f"worse than champion in {JUDGED_BY[kind]} where airport is LGA (-")
    assert verdict.numbers["weak"] == 1
    told = (f"airport is LGA: {name}" for name in (JUDGED_BY[kind], f"champion_{JUDGED_BY[kind]}"))
    candidate, champion = (verdict.numbers[name] for name in told)
    assert candidate > champion
    assert case_of.gates.mode("weak_slices") == "warn"


def test_equal_models_of_classes_or_of_a_number_are_seldom_called_weak(kind, case_of):
    found = [gate.gate(of_kind(kind, seed=seed, rows=100), case_of).numbers["weak"] for seed in range(40)]
    assert np.mean(np.array(found) > 0) <= 0.1
    assert gate.gate(of_kind(kind, seed=1), case_of).outcome == "PASS"

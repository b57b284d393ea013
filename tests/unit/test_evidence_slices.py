"""Slices hold the rows they name, every row is in one, and a candidate that is worse on one fails by its name."""

import runpy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from updraft.evidence import Evidence, examine
from updraft.evidence.gates import slices as gate
from updraft.evidence.slices import Slice, declared, parted, pooled
from updraft.spec.slices import Slices

BENCH = Path(__file__).parents[1] / "bench"
STUDY = runpy.run_path(str(BENCH / "aa_study.py"))
spoil = runpy.run_path(str(BENCH / "coverage_study.py"))["spoil"]
FEATURES = {"airport": {"type": "category"}, "hour": {"type": "number", "learn": False}}


def rows(**columns):
    return pd.DataFrame(columns)


def names(frame, **slices):
    found = declared(frame, Slices(min_rows=10, **slices))
    return {part.name: part.rows for part in found}


# ---- which rows -----------------------------------------------------------------------------------------------------


def test_every_level_is_a_slice_and_so_are_missing_values():
    frame = rows(airport=["EWR"] * 12 + ["JFK"] * 11 + [None] * 10)
    assert names(frame, by=("airport",)) == {"airport is EWR": 12, "airport is JFK": 11, "airport is missing": 10}


@pytest.mark.parametrize(
    ("edges", "found"),
    [
        pytest.param((10.0,), {"h is below 10": 10, "h is 10 or more": 20}, id="a value on an edge is above it"),
        pytest.param((10.0, 20.0), {"h is below 10": 10, "h is 10 to below 20": 10, "h is 20 or more": 10}, id="two"),
        pytest.param(3, {"h is below 9.66667": 10, "h is 9.66667 to below 19.3333": 10, "h is 19.3333 or more": 10},
                     id="three of equal size"),
    ],
)  # fmt: skip
def test_a_number_is_cut_at_edges_or_quantiles(edges, found):
    assert names(rows(h=np.arange(30.0)), cut={"h": edges}) == found


def test_quantiles_that_fall_together_make_fewer_slices():
    found = names(rows(h=np.r_[np.zeros(30), np.ones(10)]), cut={"h": 4})
    assert found == {"h is 0 to below 0.25": 30, "h is 0.25 or more": 10}


def test_a_number_that_is_always_missing_is_one_slice():
    assert names(rows(h=np.full(12, np.nan)), cut={"h": 4}) == {"h is missing": 12}


def test_rare_levels_are_judged_together_and_with_a_larger_one_while_they_are_too_few():
    together = rows(airport=["EWR"] * 30 + ["JFK"] * 20 + ["ACY"] * 6 + ["HPN"] * 5)
    assert names(together, by=("airport",)) == {"airport is EWR": 30, "airport is JFK": 20, "airport is ACY or HPN": 11}
    alone = rows(airport=["EWR"] * 30 + ["JFK"] * 20 + ["HPN"])
    assert names(alone, by=("airport",)) == {"airport is EWR": 30, "airport is JFK or HPN": 21}


def test_a_pool_of_many_levels_has_a_short_name():
    many = rows(airport=[f"A{i}" for i in range(9)] + ["EWR"] * 50)
    assert "airport is EWR or A0 or A1 or A2 or A3 or one of 5 more" in names(many, by=("airport",))


@settings(max_examples=60, derandomize=True, deadline=None)
@given(levels=st.lists(st.sampled_from(["a", "b", "c", None]), min_size=1, max_size=60), least=st.integers(1, 30))
def test_every_row_is_in_exactly_one_part_of_a_feature(levels, least):
    frame = rows(airport=pd.Series(levels, dtype=object))
    found = pooled(parted(frame, Slices(by=("airport",)), "airport"), "airport", least)
    assert (np.sum([part.at for part in found], axis=0) == 1).all()
    assert len(found) == 1 or min(part.rows for part in found) >= least


def test_a_feature_with_a_level_per_row_is_one_slice():
    frame = rows(airport=[f"A{i}" for i in range(5000)])
    (found,) = pooled(parted(frame, Slices(by=("airport",)), "airport"), "airport", 5000)
    assert (found.rows, found.name.count(" or ")) == (5000, 5)


@pytest.mark.parametrize(
    ("where", "kept"),
    [
        pytest.param({"hour": {"range": [1, 2]}}, [1, 2, 4], id="both ends are inside"),
        pytest.param({"airport": {"among": ["EWR", "LGA"]}}, [0, 1], id="one of the levels"),
        pytest.param({"hour": {"range": [2, 9]}, "airport": {"among": ["JFK"]}}, [2], id="all conditions at once"),
    ],
)
def test_a_condition_holds_the_rows_it_says_and_never_a_missing_value(where, kept):
    frame = rows(airport=["EWR", "EWR", "JFK", "JFK", None], hour=[0.0, 1.0, 2.0, np.nan, 1.0])
    (found,) = declared(frame, Slices(where={"mine": where}))
    assert found.name == "mine"
    assert np.flatnonzero(found.at).tolist() == kept


# ---- the gate -------------------------------------------------------------------------------------------------------


def better(days=14, rows=900, spoilt="", noise=0.8, own=0.0) -> Evidence:
    """A candidate that is better as a whole, and made worse at one airport."""
    rng = np.random.default_rng(3)
    drawn = STUDY["pair"](rng, days=days, rows=rows, noise=own, day_noise=0.1)
    airport = rng.choice(["EWR", "JFK", "LGA"], len(drawn.y), p=[0.5, 0.3, 0.2])
    frame = pd.DataFrame({"airport": airport, "signal": 0.0, "hour": rng.integers(0, 24, len(drawn.y)).astype(float)})
    candidate = spoil(drawn.candidate, airport == spoilt, rng, noise)
    baselines = {"trivial": np.full(len(drawn.y), 0.25), "logistic": drawn.champion}
    return replace(drawn, candidate=candidate, rows=frame, baselines=baselines)


def case(metric="log_loss", margin=0.05, min_rows=500, **slices):
    return STUDY["use_case"](metric, FEATURES, min_rows=min_rows, slices={"margin": margin, **slices})


def test_a_candidate_that_is_better_everywhere_passes():
    verdict = gate.gate(better(), case(by=["airport"], cut={"hour": 3}))
    assert verdict.outcome == "PASS"
    assert "none of 6 slices" in verdict.reason


@pytest.mark.parametrize("metric", ["auc", "brier", "log_loss"])
def test_better_overall_and_worse_on_a_declared_slice_fails_by_its_name(metric):
    evidence = better(spoilt="LGA", noise=1.0)
    asked = case(metric, by=["airport"], margin=0.02)
    whole = evidence.against(evidence.champion, metric, asked)
    verdict = gate.gate(evidence, asked)
    assert whole.low > 0
    assert verdict.outcome == "FAIL"
    assert f"worse than champion in {metric} where airport is LGA" in verdict.reason
    assert "EWR" not in verdict.reason
    assert verdict.numbers[f"airport is LGA: champion_{metric}_high"] < -0.02 * (metric == "auc")
    assert examine(evidence, asked).outcome == "FAIL"


def test_the_same_candidate_passes_where_the_slice_is_not_declared():
    assert gate.gate(better(spoilt="LGA"), case(cut={"hour": 3})).outcome == "PASS"


def test_a_slice_with_too_few_rows_is_insufficient_and_says_how_many_are_needed():
    evidence = better()
    night = {"where": {"night": {"hour": {"range": [3, 3]}}}, "min_rows": 1000}
    verdict = gate.gate(evidence, STUDY["use_case"]("log_loss", FEATURES, slices=night))
    at_three = int((evidence.rows["hour"] == 3).sum())
    assert verdict.outcome == "INSUFFICIENT"
    assert f"{at_three} rows where night, and `gates.slices.min_rows` asks for 1000" in verdict.reason
    assert verdict.numbers["night: held_out_rows_needed"] == pytest.approx(len(evidence.y) * 1000 / at_three, abs=1)


def test_a_slice_nobody_is_in_is_insufficient():
    verdict = gate.gate(better(), case(where={"never": {"hour": {"range": [50, 60]}}}))
    assert (verdict.outcome, "0 rows where never" in verdict.reason) == ("INSUFFICIENT", True)


def test_rows_that_could_not_show_the_margin_are_insufficient_and_say_how_many_would():
    verdict = gate.gate(better(rows=60, own=STUDY["NOISE"]), case(by=["airport"], margin=0.001))
    assert verdict.outcome == "INSUFFICIENT"
    assert "rows could show a difference" in verdict.reason
    assert verdict.numbers["airport is EWR: champion_log_loss_rows_needed"] > 1000


def test_without_a_champion_the_base_rate_must_not_be_better_on_any_slice():
    first = replace(better(spoilt="LGA", noise=3.0), champion=None)
    verdict = gate.gate(first, case(by=["airport"]))
    assert "worse than trivial in log_loss where airport is LGA" in verdict.reason


@pytest.mark.parametrize(
    ("change", "slices"),
    [
        pytest.param({}, {}, id="none declared"),
        pytest.param({"rows": None}, {"by": ["airport"]}, id="no rows to look at"),
        pytest.param({"champion": None, "baselines": {}}, {"by": ["airport"]}, id="nothing to compare with"),
    ],
)
def test_the_gate_does_not_apply_where_there_is_nothing_to_compare(change, slices):
    assert gate.gate(replace(better(), **change), case(**slices)) is None


def test_too_few_rows_altogether_are_insufficient():
    verdict = gate.gate(better(rows=60), case(by=["airport"], min_rows=20_000))
    assert verdict.outcome == "INSUFFICIENT"
    assert "`gates.min_rows` asks for 20000" in verdict.reason


def test_a_part_counts_its_rows():
    assert Slice("some", np.array([True, False, True])).rows == 2

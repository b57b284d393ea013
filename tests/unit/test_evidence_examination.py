"""An examination asks every gate, keeps what was found, and fits where it must."""

import json
import math
import runpy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from updraft.evidence import Evidence, Verdict, examine, gates

STUDY = runpy.run_path(str(Path(__file__).parents[1] / "bench" / "aa_study.py"))
CASE = STUDY["use_case"](min_rows=500, absolute={"auc": {"min": 0.6}}, slices={"cut": {"signal": 2}})


@pytest.fixture(scope="module")
def rows() -> Evidence:
    """A challenger that truly is better, with the baselines it must beat."""
    drawn = STUDY["pair"](np.random.default_rng(4), days=14, rows=600, noise=0.0)
    baselines = {"trivial": np.full(len(drawn.y), 0.25), "logistic": drawn.champion}
    frame = pd.DataFrame({"signal": np.random.default_rng(5).normal(0, 1, len(drawn.y))})
    return replace(drawn, baselines=baselines, champion_digest="sha256:abc", rows=frame)


def test_a_good_candidate_passes_every_gate(rows):
    found = examine(rows, CASE)
    assert found.outcome == "PASS"
    assert {verdict.gate for verdict in found.verdicts} | set(found.not_applicable) == set(gates.discover())
    assert {"absolute", "baselines", "champion", "slices"} <= {verdict.gate for verdict in found.verdicts}
    assert "fairness" in found.not_applicable, "no groups were declared"


def test_gates_that_do_not_apply_are_listed_and_do_not_count(rows):
    found = examine(replace(rows, champion=None, champion_digest=None, rows=None), STUDY["use_case"](min_rows=500))
    assert found.outcome == "PASS"
    assert {"absolute", "champion", "slices", "weak_slices"} <= set(found.not_applicable)


def test_one_gate_that_fails_fails_the_whole(rows):
    found = examine(rows, STUDY["use_case"](min_rows=500, absolute={"auc": {"min": 0.99}}))
    assert found.outcome == "FAIL"
    said = found.summary()["gates"]
    assert (said["absolute"], said["baselines"], said["champion"]) == ("FAIL", "PASS", "PASS")
    assert "at least 0.99" in found.summary()["because"][0]


def test_every_model_is_measured_on_the_same_rows(rows):
    found = examine(rows, CASE)
    assert set(found.roles) == {"candidate", "champion", "trivial", "logistic"}
    assert found.roles["trivial"]["auc"] == 0.5
    assert found.roles["candidate"]["auc"] == found.metrics["auc"].value
    assert found.metrics["value"].low < found.metrics["value"].value < found.metrics["value"].high
    assert (found.blocks, found.n, found.positives) == (14, len(rows.y), int(rows.y.sum()))


def test_nothing_held_out_is_insufficient_and_still_json():
    empty = np.array([])
    found = examine(Evidence(y=empty, blocks=empty, candidate=empty, family="lightgbm"), CASE)
    assert found.outcome == "INSUFFICIENT"
    assert found.to_json()["metrics"]["auc"]["value"] is None
    json.dumps(found.to_json(), allow_nan=False)


def test_an_examination_is_json_and_the_same_every_time(rows):
    assert json.dumps(examine(rows, CASE).to_json(), allow_nan=False) == json.dumps(examine(rows, CASE).to_json())


def test_a_summary_stays_small_however_much_was_found(rows):
    found = examine(rows, CASE)
    many = tuple(Verdict(f"gate_{i}_{'x' * 50}", "FAIL", "because " * 500, {"n": math.nan}) for i in range(100))
    crowded = replace(found, verdicts=many, not_applicable=tuple(verdict.gate for verdict in many))
    assert len(json.dumps(crowded.summary(), allow_nan=False)) < 4096
    assert len(json.dumps(found.summary(), allow_nan=False)) < 1024

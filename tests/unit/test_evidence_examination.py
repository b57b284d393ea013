"""An examination asks every gate, keeps what was found, and fits where it must."""

import json
import math
import runpy
from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
import pandas as pd
import pytest

from updraft.errors import LakeUnavailable
from updraft.evidence import Evidence, Verdict, examine, gates
from updraft.spec.checks import GateName

STUDY = runpy.run_path(str(Path(__file__).parents[1] / "bench" / "aa_study.py"))
CASE = STUDY["use_case"](min_rows=500, absolute={"auc": {"min": 0.6}}, slices={"cut": {"signal": 2}})

MODES = ("enforce", "warn")


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
    assert {"absolute", "baselines", "calibration", "champion"} <= {verdict.gate for verdict in found.verdicts}
    assert {"leakage", "operation", "robustness"} <= set(found.not_applicable), "there are neither rows nor a model"


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
    names = [f"gate_{i}_{'x' * 15}" for i in range(100)]
    many = tuple(Verdict(n, "FAIL", "because " * 500, {"n": math.nan}, mode) for n in names for mode in MODES)
    crowded = replace(found, verdicts=many, not_applicable=tuple(names), off=tuple(names))
    assert len(json.dumps(crowded.summary(), allow_nan=False)) < 4096
    every = tuple(Verdict(n, "FAIL", "because " * 500, mode=mode) for n in get_args(GateName) for mode in MODES)
    full = replace(found, verdicts=every, not_applicable=get_args(GateName), off=get_args(GateName))
    assert len(json.dumps(full.summary(), allow_nan=False)) < 3072
    assert len(json.dumps(found.summary(), allow_nan=False)) < 1024


# ---- modes -----------------------------------------------------------------------------------------------------------


def strict(mode, **gates_):
    return STUDY["use_case"](min_rows=500, absolute={"auc": {"min": 0.99}}, modes={"absolute": mode}, **gates_)


@pytest.mark.parametrize(("mode", "outcome"), [("enforce", "FAIL"), ("warn", "PASS"), ("off", "PASS")])
def test_a_gate_decides_only_where_it_is_enforced(rows, mode, outcome):
    assert examine(rows, strict(mode)).outcome == outcome


def test_a_gate_that_warns_is_shown_and_one_that_is_off_is_not_asked(rows):
    warned, off = examine(rows, strict("warn")), examine(rows, strict("off"))
    (verdict,) = (v for v in warned.verdicts if v.gate == "absolute")
    assert (verdict.outcome, verdict.mode, verdict.to_json()["mode"]) == ("FAIL", "warn", "warn")
    assert warned.summary()["because"] == []
    assert warned.summary()["warned"][0].startswith("absolute: auc is")
    assert "absolute" not in {v.gate for v in off.verdicts} | set(off.not_applicable)
    assert (off.off, off.to_json()["off"], off.summary()["off"]) == (("absolute",), ["absolute"], ["absolute"])


def test_where_every_gate_only_warns_nothing_has_passed(rows):
    everywhere = dict.fromkeys(get_args(GateName), "warn")
    assert examine(rows, STUDY["use_case"](min_rows=500, modes=everywhere)).outcome == "INSUFFICIENT"


@pytest.mark.parametrize(("mode", "outcome"), [("enforce", "INSUFFICIENT"), ("warn", "PASS"), ("off", "PASS")])
def test_a_gate_that_breaks_has_examined_nothing_and_says_so(rows, mode, outcome, caplog):
    nothing = pd.DataFrame(index=range(len(rows.y)))
    seen = replace(rows, rows=nothing, training=nothing)
    found = examine(seen, STUDY["use_case"](min_rows=500, modes={"leakage": mode}))
    assert found.outcome == outcome
    broken = [verdict for verdict in found.verdicts if verdict.gate == "leakage"]
    assert len(broken) == (mode != "off")
    for verdict in broken:
        assert (verdict.outcome, verdict.mode) == ("INSUFFICIENT", mode)
        assert verdict.reason.startswith("not examined, the gate broke: KeyError: ")
        assert "gate leakage broke" in caplog.text
        assert "Traceback" in caplog.text


@pytest.mark.parametrize("fault", [LakeUnavailable("down", next_step="wait"), MemoryError()])
def test_a_fault_that_may_pass_is_for_another_attempt(rows, fault):
    class Model:
        def files(self):
            raise fault

    with pytest.raises(type(fault)):
        examine(replace(rows, rows=pd.DataFrame(index=range(len(rows.y))), model=Model()), CASE)


def test_a_dry_run_examines_as_always_and_says_that_it_is_one(rows):
    found = examine(rows, STUDY["use_case"](min_rows=500, dry_run=True))
    assert (found.outcome, found.dry_run) == ("PASS", True)
    assert found.to_json()["dry_run"] is found.summary()["dry_run"] is True
    assert examine(rows, CASE).to_json()["dry_run"] is False


def test_what_depends_on_the_machine_is_kept_beside_the_examination(rows):
    found = examine(rows, CASE)
    timed = replace(found, verdicts=(replace(found.verdicts[0], measured={"seconds": 0.5, "memory_mb": math.inf}),))
    assert timed.measured == {"absolute": {"seconds": 0.5, "memory_mb": None}}
    assert "0.5" not in json.dumps(timed.to_json()["verdicts"][0])
    assert found.measured == {}

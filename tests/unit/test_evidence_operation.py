"""What it costs to run a real model is measured against the spec's limits; its predictions must come out again."""

from dataclasses import replace

import numpy as np
import pytest
from tests import planted

from updraft.evidence.gates import operation
from updraft.model.golden import Golden

pytestmark = pytest.mark.slow  # trains real models


@pytest.fixture(scope="module", params=["logistic", "lightgbm"])
def seen(request):
    return planted.evidence(planted.clean(7), planted.case(request.param))


def test_a_small_model_is_well_within_the_defaults_and_is_measured(seen):
    verdict = operation.gate(seen, planted.case())
    assert verdict.outcome == "PASS"
    assert verdict.numbers["partition_rows"] == 150
    assert 0 < verdict.numbers["size_mb"] < 1
    assert 0 < verdict.measured["seconds"] < 60
    assert 0 < verdict.measured["memory_mb"] < 100


def test_what_depends_on_the_machine_is_no_part_of_the_verdict(seen):
    first, second = (operation.gate(seen, planted.case()).to_json() for _ in range(2))
    assert first == second
    assert "seconds" not in first["numbers"]


@pytest.mark.parametrize(
    ("limit", "says"),
    [
        ({"seconds": 1e-9}, "`gates.operation.seconds` allows 1e-09"),
        ({"memory_mb": 1e-9}, "of memory, and `gates.operation.memory_mb` allows"),
        ({"size_mb": 1e-9}, "its files take"),
    ],
)
def test_a_limit_that_is_exceeded_fails_by_name(seen, limit, says):
    verdict = operation.gate(seen, planted.case(operation=limit))
    assert verdict.outcome == "FAIL"
    assert says in verdict.reason


def test_golden_predictions_that_do_not_come_out_again_fail(seen):
    golden = seen.model.golden
    other = Golden(golden.rows, tuple(p * 0.99 for p in golden.expected))
    verdict = operation.gate(replace(seen, model=replace(seen.model, golden=other)), planted.case())
    assert verdict.outcome == "FAIL"
    assert "golden predictions differ" in verdict.reason


def test_scores_that_depend_on_the_other_rows_fail(seen):
    verdict = operation.gate(replace(seen, candidate=np.clip(seen.candidate * 1.01, 0, 1)), planted.case())
    assert verdict.outcome == "FAIL"
    assert "scores of a partition by itself differ" in verdict.reason


def test_without_rows_or_a_model_there_is_nothing_to_run(seen):
    assert operation.gate(replace(seen, rows=None), planted.case()) is None
    assert operation.gate(replace(seen, model=None), planted.case()) is None

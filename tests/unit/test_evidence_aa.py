"""Of two equal models, one replaces the other less often than the level the use case declares."""

import runpy
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow  # judges hundreds of pairs of models

STUDY = runpy.run_path(str(Path(__file__).parents[1] / "bench" / "aa_study.py"))


def outcomes(metric, pairs=200, noise=STUDY["NOISE"], **drawn):
    case = STUDY["use_case"](metric, min_rows=500)
    return STUDY["study"](case, pairs, noise=noise, **{"days": 14, "rows": 60, "seed": 5, **drawn})


@pytest.mark.parametrize("metric", ["auc", "brier"])
def test_equal_models_replace_each_other_less_often_than_the_declared_level(metric):
    found = outcomes(metric)
    assert found["PASS"] <= 0.05 * 200
    assert found["naive"] > 0.4 * 200


def test_the_level_holds_with_five_partitions_too():
    assert outcomes("auc", days=5, rows=150)["PASS"] <= 0.05 * 200


def test_a_model_that_truly_is_better_is_promoted():
    assert outcomes("auc", pairs=30, noise=0.0, rows=600)["PASS"] >= 0.8 * 30

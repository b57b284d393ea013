"""Small versions of the studies: intervals hold the truth, power is what the gate says it is, six slices are judged."""

import runpy
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow  # judges hundreds of pairs of models

BENCH = Path(__file__).parents[1] / "bench"
COVERAGE = runpy.run_path(str(BENCH / "coverage_study.py"))
POWER = runpy.run_path(str(BENCH / "power_study.py"))
GATES = runpy.run_path(str(BENCH / "slices_bench.py"))


@pytest.mark.deep
def test_intervals_hold_the_truth_about_as_often_as_they_say():
    true = COVERAGE["truth"](100, 2, days=1500)
    found = COVERAGE["study"](200, days=14, rows=100, seed=2, true=true)
    assert set(found) == {f"{m}{part}" for m in ("auc", "brier", "log_loss") for part in ("", " in a slice")}
    assert all(0.91 <= share <= 0.995 for share in found.values()), found


@pytest.mark.deep
def test_a_difference_the_gate_says_it_sees_is_seen_four_times_in_five():
    case = POWER["STUDY"]["use_case"]("log_loss", min_rows=500)
    drawn = {"days": 14, "rows": 300, "seed": 3}
    seen = {}
    for noise in (0.3, 0.5, 1.2):
        true = POWER["effect"]("log_loss", noise, rows=100, seed=3, days=1500)
        found, sees = POWER["study"](case, 60, noise=noise, **drawn)
        seen[noise] = found["better"] / 60
        if true >= sees:
            assert seen[noise] >= 0.7
    assert seen[0.3] > seen[0.5] >= seen[1.2] == 0.0
    assert found["FAIL"] == 60


def test_the_bench_of_the_gates_compares_six_slices_both_ways():
    case, evidence = GATES["world"](8000, 28, "auc", seed=1)
    numbers = GATES["discover"]()["slices"](evidence, case).numbers
    assert sum(name.endswith(": rows") for name in numbers) == 6
    by_hand = GATES["by_hand"](evidence, "auc", repeats=20)
    for level, (low, high) in by_hand.items():
        assert low <= numbers[f"carrier is {level}: champion_auc_difference"] + 0.02
        assert high >= numbers[f"carrier is {level}: champion_auc_difference"] - 0.02

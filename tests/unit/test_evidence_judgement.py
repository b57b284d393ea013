"""A difference is better, not worse, or neither: what its interval says beside the margin."""

import math
from dataclasses import replace

import pytest

from updraft.evidence.judgement import detectable, is_better, is_not_worse, margin_of, rows_needed
from updraft.evidence.paired import Difference
from updraft.spec.gates import Gates

ROW = Difference(
    metric="auc",
    candidate=0.72,
    reference=0.70,
    difference=0.02,
    low=0.01,
    high=0.03,
    standard_error=0.005,
    confidence=0.95,
    n=14_000,
    positives=3000,
    blocks=14,
    method="",
)


@pytest.mark.parametrize(
    ("difference", "margin", "outcome", "says"),
    [
        pytest.param(ROW, 0.01, "PASS", "better than champion in auc", id="above zero"),
        pytest.param(replace(ROW, low=-0.03, high=-0.01), 0.01, "FAIL", "worse than champion", id="below zero"),
        pytest.param(replace(ROW, low=-0.001, standard_error=0.001), 0.01, "FAIL", "no evidence", id="sharp and zero"),
        pytest.param(replace(ROW, low=-0.01, standard_error=0.02), 0.01, "INSUFFICIENT", "rows could show", id="blunt"),
        pytest.param(replace(ROW, low=-0.01, standard_error=0.02), 0.0, "FAIL", "no evidence", id="blunt, no margin"),
        pytest.param(replace(ROW, low=0.0, standard_error=0.0), 0.01, "FAIL", "no evidence", id="the same model"),
        pytest.param(replace(ROW, blocks=1), 0.01, "INSUFFICIENT", "hold out at least two", id="one partition"),
        pytest.param(
            replace(ROW, low=math.nan, high=math.nan, standard_error=math.nan, method="no rows"),
            0.01, "INSUFFICIENT", "no rows", id="undefined",
        ),
    ],
)  # fmt: skip
def test_better_means_a_lower_bound_above_zero(difference, margin, outcome, says):
    verdict = is_better("champion", difference, than="champion", margin=margin)
    assert verdict.outcome == outcome
    assert says in verdict.reason


@pytest.mark.parametrize(
    ("low", "high", "error", "margin", "outcome"),
    [
        pytest.param(-0.009, 0.02, 0.008, 0.01, "PASS", id="within the margin"),
        pytest.param(-0.01, 0.02, 0.008, 0.01, "PASS", id="at the margin"),
        pytest.param(0.0, 0.0, 0.0, 0.0, "PASS", id="the same model, no margin"),
        pytest.param(-0.03, -0.02, 0.002, 0.01, "FAIL", id="beyond the margin"),
        pytest.param(-0.012, -0.008, 0.001, 0.01, "FAIL", id="sharp and at the margin"),
        pytest.param(-0.05, 0.05, 0.03, 0.01, "INSUFFICIENT", id="blunt"),
    ],
)
def test_not_worse_means_a_lower_bound_within_the_margin(low, high, error, margin, outcome):
    difference = replace(ROW, low=low, high=high, standard_error=error)
    assert is_not_worse("champion", difference, than="champion", margin=margin).outcome == outcome


def test_the_margin_is_absolute_for_auc_and_a_share_for_losses():
    limits = Gates(margin=0.02)
    assert margin_of(limits, ROW) == 0.02
    assert margin_of(limits, replace(ROW, metric="brier", reference=0.15)) == pytest.approx(0.003)


def test_the_rows_needed_would_show_the_margin_and_a_partition_less_would_not():
    blunt = replace(ROW, standard_error=0.02)
    needed = rows_needed(blunt, 0.01)
    blocks = round(needed / 1000)

    def with_blocks(count):
        return replace(blunt, blocks=count, standard_error=0.02 * math.sqrt(14 / count))

    assert detectable(with_blocks(blocks)) <= 0.01 < detectable(with_blocks(blocks - 1))


def test_rows_needed_are_undefined_without_a_margin():
    assert math.isnan(rows_needed(ROW, 0.0))

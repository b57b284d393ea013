"""A verdict says what was found; a sum of verdicts never passes by accident."""

import json
import math

import pytest

from updraft.evidence.verdict import Verdict, merge, overall


def verdicts(outcomes: str) -> list[Verdict]:
    names = {"P": "PASS", "F": "FAIL", "I": "INSUFFICIENT"}
    return [Verdict("gate", names[letter], f"because {letter}", {f"n{i}": i}) for i, letter in enumerate(outcomes)]


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        ("", "INSUFFICIENT"),
        ("P", "PASS"),
        ("PPP", "PASS"),
        ("PI", "INSUFFICIENT"),
        ("PIF", "FAIL"),
        ("FP", "FAIL"),
    ],
)
def test_any_fail_fails_and_nothing_examined_is_no_pass(outcomes, expected):
    assert overall(verdicts(outcomes)) == expected


def test_a_merged_verdict_keeps_every_number_and_the_reasons_that_decided_it():
    merged = merge("champion", verdicts("PIF"))
    assert (merged.gate, merged.outcome, merged.reason) == ("champion", "FAIL", "because F")
    assert merged.numbers == {"n0": 0, "n1": 1, "n2": 2}


def test_a_merge_of_nothing_is_insufficient_and_says_so():
    assert merge("absolute", []) == Verdict("absolute", "INSUFFICIENT", "nothing was examined")


def test_undefined_numbers_become_null_in_json():
    said = Verdict("g", "INSUFFICIENT", "one class", {"auc": math.nan, "rows": math.inf, "brier": 0.25}).to_json()
    assert json.loads(json.dumps(said, allow_nan=False))["numbers"] == {"auc": None, "rows": None, "brier": 0.25}

"""A slice of the corpus in this process; `make fuzz` runs all of it, each case in a process that may die."""

import pytest
from tests.fuzz.case import Case
from tests.fuzz.corpus import corpus, slice_of
from tests.fuzz.landing import put, violations
from tests.fuzz.run import Ran, report

HUGE = ("D15", "D17", "D18")
CASES = corpus(2000, 1)
SLICE = [place for place in slice_of(CASES, 150) if not CASES[place].kind.startswith(HUGE)]


def test_the_corpus_is_the_same_for_the_same_seed():
    again = corpus(2000, 1)
    assert len(CASES) >= 2000
    assert [case.kind for case in again] == [case.kind for case in CASES]
    assert all(CASES[place].data() == again[place].data() for place in SLICE)
    assert [case.kind for case in corpus(2000, 2)] != [case.kind for case in CASES]


@pytest.mark.slow
@pytest.mark.parametrize("place", SLICE)
def test_a_hostile_delivery_is_read_rightly_or_refused_with_what_to_do(place, tmp_path):
    put(CASES[place], tmp_path)
    outcome, wrong = violations(CASES[place], tmp_path)
    assert wrong == [], f"{CASES[place].kind} is {outcome}"


def test_a_wrong_expectation_is_noticed(tmp_path):
    case = Case("wrong", lambda: b"id,at,x,ok,s\n", frozenset({"refused"}))
    put(case, tmp_path)
    outcome, wrong = violations(case, tmp_path)
    assert outcome == "accepted"
    assert wrong == ["is accepted, not refused: ''"]
    assert "1 violations\n  7: wrong: is" in report([Ran(7, "wrong", outcome, 0.1, 1, tuple(wrong))], 1)

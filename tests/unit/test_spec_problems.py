from pathlib import Path

import pytest

from updraft.errors import SpecInvalid
from updraft.spec.problems import Problem, dotted, found, refusal

HERE = Path("use_cases/tiny/spec.yaml")


def test_one_problem_is_one_line():
    error = refusal(HERE, [Problem(7, "model.seed", "is wrong.")])
    assert isinstance(error, SpecInvalid)
    assert error.what == "use_cases/tiny/spec.yaml:7: model.seed: is wrong."


def test_the_same_problem_is_told_once_and_eleven_are_cut():
    problems = [Problem(n, "", f"problem {n}") for n in range(11)]
    told = refusal(HERE, [problems[0], *problems]).what.split("\n")
    assert told[1] == "use_cases/tiny/spec.yaml:0: problem 0"
    assert told[-2:] == ["… and more", ""]
    assert len(told) == 1 + 10 + 2


@pytest.mark.parametrize(
    ("value", "said"),
    [("x", "text 'x'"), (1, "1"), (1.5, "1.5"), (False, "false"), (None, "nothing"), ([], "a list"), ({}, "a mapping")],
)
def test_a_value_is_described_in_a_few_words(value, said):
    assert found(value) == said


def test_what_is_found_is_shown_bounded():
    assert len(found("x" * 10_000)) < 100
    assert len(found(10**300)) < 100
    assert len(dotted(("k" * 10_000,))) < 100

"""Patterns: what a spec may hold is what the engine evaluates, in a time that no value can stretch."""

import time

import pandas as pd
import pytest

from updraft.spec.patterns import pattern, whole


def matches(text, values):
    return pd.Series(values).str.contains(whole(pattern(text))).tolist()


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("[A-Z]{3}", {"LGA": True, "LGAX": False, "LGA\n": False, "": False}),
        (r"\d+\.\d*", {"1.5": True, "1": False, "٣.٣": False}),
        (r"\+[0-9]+", {"+1": True}),
        (r"[\w.-]+", {"a-b_c.1": True, "é": False}),
        (r"\S+\s\S+", {"Ann Lee": True, "Ann": False, "Zoë\vLi": True}),
        (r"\D\W", {"a!": True, "1!": False, "aa": False}),
        ("[(?=]", {"=": True}),
        ("[^]x]", {"]": False, "y": True}),
        ("a|b$", {"b": True, "b\n": False, "ab": False}),
        (r"[$]\$", {"$$": True}),
        (r"\\1", {r"\1": True}),
        ("x{0,1000}", {"xx": True}),
        ("(?i)lga", {"LGA": True}),
    ],
)
def test_a_pattern_is_evaluated_as_written_on_ascii_or_not(text, values):
    assert matches(text, list(values)) == list(values.values())


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("(", "missing )"),
        ("a)|(b", "unbalanced parenthesis"),
        ("[z-a]", "bad character range"),
        ("*", "nothing to repeat"),
        (r"\p{L}", "bad escape"),
        ("(?=a)", "look-around"),
        ("(?<!a)b", "look-around"),
        (r"(a)\1", "back-references"),
        ("(?P<n>a)(?P=n)", "back-references"),
        ("(a)?(?(1)b|c)", "back-references"),
        ("a*+", "possessive"),
        ("(?>a)", "possessive or atomic"),
        ("(?#note)a", "comments"),
        ("(?x) a", "flags other than"),
        (r"a\b", "RE2 does not know"),
        (r"[\S]", "RE2 does not know"),
        (r"\u0041", "RE2 does not know"),
        ("a{1001}", "more than 1000 times"),
        ("a{5000000000}", "is not a regular expression"),
        ("(" * 5000 + ")" * 5000, "is not a regular expression"),
    ],
)
def test_what_has_no_bound_or_no_meaning_is_refused(text, why):
    with pytest.raises(ValueError, match=why.replace(")", r"\)")):
        pattern(text)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("text", ["(a+)+b", "(a|a)*b", "(.*a){20}b", r"(\w+\s?)+!", r"(\d|\w)+$b", "(a*)*d"])
def test_a_pattern_that_backtracks_for_ever_elsewhere_takes_no_time(text):
    begun = time.perf_counter()
    assert matches(text, ["a" * 5_000, "é\n" + "a" * 5_000]) == [False, False]
    assert time.perf_counter() - begun < 2

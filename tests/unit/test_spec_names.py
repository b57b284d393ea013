import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from updraft.errors import NameInvalid
from updraft.spec.names import Name, name

FIELD = TypeAdapter(Name)


@pytest.mark.parametrize("word", ["a", "flight_delays", "a1_", "x" * 63])
def test_a_name_is_lower_case_letters_digits_and_underscores(word):
    assert name(word) == word
    assert FIELD.validate_python(word) == word


@pytest.mark.parametrize(
    "word",
    ["", "A", "1a", "_a", "a-b", "a b", "a/b", "../a", "a.b", "x" * 64, "a\n", "\na", "\u0430", "\uff41", "é", "a'--"],
)
def test_nothing_else_is_a_name(word):
    with pytest.raises(NameInvalid):
        name(word)
    with pytest.raises(ValidationError):
        FIELD.validate_python(word)


@pytest.mark.parametrize("word", [None, 1, b"a", ["a"]])
def test_what_is_no_text_is_no_name(word):
    with pytest.raises(NameInvalid):
        name(word)


@given(st.text(max_size=70))
def test_the_field_and_the_function_agree(word):
    try:
        accepted = name(word) == word
    except NameInvalid:
        accepted = False
    try:
        assert (FIELD.validate_python(word) == word) == accepted
    except ValidationError:
        assert not accepted


def test_a_hostile_name_is_shown_bounded():
    with pytest.raises(NameInvalid) as caught:
        name("x" * 100_000)
    assert len(str(caught.value)) < 300

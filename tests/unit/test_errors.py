import copy

import pytest

from updraft import errors
from updraft.errors import Permanent, Transient, UpdraftError, did_you_mean

KINDS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, UpdraftError) and kind is not UpdraftError
]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_an_error_says_what_was_found_and_what_to_do(kind):
    error = kind("Nothing is there.", next_step="put something there.")
    assert str(error) == "Nothing is there. Next: put something there."


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_an_error_is_the_same_on_the_other_side_of_a_process(kind):
    error = kind("Nothing is there.", next_step="put something there.")
    again = copy.copy(error)  # by `__reduce__`, as when it is sent
    assert type(again) is kind
    assert (again.what, again.next_step, str(again)) == (error.what, error.next_step, str(error))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_error_is_either_permanent_or_transient_and_explained(kind):
    assert issubclass(kind, Permanent) != issubclass(kind, Transient)
    assert kind.__doc__ is not None


def test_there_is_no_error_without_a_next_step():
    with pytest.raises(TypeError):
        Permanent("Nothing is there.")


@pytest.mark.parametrize(
    ("word", "known", "hint"),
    [
        ("lable", ["label", "model"], "did you mean 'label'?"),
        ("zzz", ["model", "label"], "known: label, model"),
        ("", ["model"], "known: model"),
        ("x", [], "known: "),
        ("zzz", [f"name{n:02}" for n in range(99)], "known: " + ", ".join(f"name{n:02}" for n in range(10))),
    ],
)
def test_a_hint_is_the_nearest_word_or_the_first_ten(word, known, hint):
    assert did_you_mean(word, known) == hint

import pytest

from updraft.spec.crons import cron


@pytest.mark.parametrize("text", ["30 5 * * *", "*/10 * * * 1-5", "0 0 29 2 *", "@daily", "@quarterly", "0 5 * * MON"])
def test_a_schedule_is_five_fields_or_a_word_of_airflow(text):
    assert cron(text) == text


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "five fields"),
        ("daily", "five fields"),
        ("5 5 * *", "five fields"),
        ("* * * * * *", "five fields"),
        ("61 * * * *", "is not a schedule"),
        ("*/0 * * * *", "is not a schedule"),
        ("H 5 * * *", "five fields"),
        ("R(0-9) 5 * * *", "five fields"),
        ("0 0 31 2 *", "is not a schedule"),
        ("0 5 * * MOON", "is not a schedule"),
        ("٣ 5 * * *", "is not a schedule"),
    ],
)
def test_what_never_ticks_or_says_something_else_is_refused(text, why):
    with pytest.raises(ValueError, match=why):
        cron(text)
